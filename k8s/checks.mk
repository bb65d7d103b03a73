# What is checked of all this, without a cluster.

.PHONY: test-deploy verify-compose

test-deploy: ## Check images, Compose files, chart, clusters and workflows, without an engine or a cluster
	@scripts/deploy/test.sh

verify-compose: ## Bring the Compose stacks up on a container engine and check every claim made of them
	@scripts/deploy/verify-compose.sh
