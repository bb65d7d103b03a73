# Deployment tests that need no cluster.

.PHONY: test-deploy verify-compose

test-deploy: ## Test Dockerfile, Compose files, chart, clusters, workflows and documents; needs no engine or cluster
	@scripts/deploy/test.sh

verify-compose: ## Start the Compose stacks on a container engine and verify them
	@scripts/deploy/verify-compose.sh
