# A cluster on this machine: http://pulsecheck.localhost. Needs docker, kind, kubectl and helm.

KIND_CLUSTER := pulsecheck
KIND := --context kind-$(KIND_CLUSTER)
KIND_HELM := --kube-context kind-$(KIND_CLUSTER)
INGRESS_NGINX_VERSION ?= 4.13.3
METRICS_SERVER_VERSION ?= v0.8.0
SECRETS := helm/pulsecheck/values-secrets.yaml

.PHONY: cluster-up cluster-down cluster-pause cluster-resume load-images secrets deploy redeploy verify-cluster

cluster-up: ## Kind: create the cluster with ingress, metrics and DNS
	kind create cluster --config k8s/kind-config.yaml --wait 180s
	kubectl $(KIND) -n kube-system patch deployment coredns --type strategic --patch-file k8s/coredns-patch.yaml
	kubectl $(KIND) apply -f https://github.com/kubernetes-sigs/metrics-server/releases/download/$(METRICS_SERVER_VERSION)/components.yaml
	kubectl $(KIND) -n kube-system patch deployment metrics-server --type json --patch-file k8s/metrics-server-patch.yaml
	helm upgrade --install ingress-nginx ingress-nginx $(KIND_HELM) --version $(INGRESS_NGINX_VERSION) \
		--repo https://kubernetes.github.io/ingress-nginx -n ingress-nginx --create-namespace \
		-f helm/ingress-nginx/values-kind.yaml --wait --timeout 5m
	kubectl $(KIND) apply -f k8s/namespace.yaml
	kubectl $(KIND) -n kube-system rollout status deployment/coredns deployment/metrics-server --timeout=180s

cluster-down: ## Kind: delete the cluster with all its data
	kind delete cluster --name $(KIND_CLUSTER)

cluster-pause: ## Kind: stop the nodes, keep the data
	docker stop $$(kind get nodes --name $(KIND_CLUSTER))

cluster-resume: ## Kind: start the nodes again
	docker start $$(kind get nodes --name $(KIND_CLUSTER))
	kubectl $(KIND) wait --for=condition=Ready nodes --all --timeout=180s

load-images: ## Kind: load the built images into the nodes
	kind load docker-image --name $(KIND_CLUSTER) $(IMAGE):$(TAG) $(UI_IMAGE):$(TAG)

secrets: ## Create helm/pulsecheck/values-secrets.yaml unless it exists
	@scripts/deploy/secrets.sh $(SECRETS)

deploy: secrets ## Kind: install or upgrade PulseCheck
	helm upgrade --install pulsecheck helm/pulsecheck $(KIND_HELM) -n pulsecheck -f $(SECRETS) \
		--set image.tag=$(TAG) --wait --wait-for-jobs --timeout 10m

redeploy: build-images load-images deploy ## Kind: build, load and upgrade

verify-cluster: ## Kind: verify what only a cluster can show
	@scripts/deploy/verify-cluster.sh kind-$(KIND_CLUSTER)
