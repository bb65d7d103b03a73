# A K3s server. Every target requires the cluster's name, so that none affects the one that kubectl happens to point at:
#   make deploy-prod PROD_CONTEXT=my-server REGISTRY=ghcr.io/example HOST=pulse.example.com

PROD_CONTEXT ?=
HOST ?=
EMAIL ?=
# For rollback-prod: a revision from `helm history`; 0 is the previous one.
HELM_REVISION ?= 0
PROD_SECRETS ?= helm/pulsecheck/values-secrets-production.yaml
PROD := --context $(PROD_CONTEXT)
PROD_HELM := --kube-context $(PROD_CONTEXT)
CERT_MANAGER_VERSION ?= v1.18.2
needs = @test -n "$($(1))" || { echo "$@: set $(2)" >&2; exit 1; }

.PHONY: bootstrap-prod deploy-prod rollback-prod logs-prod

bootstrap-prod: ## Production: install ingress, cert-manager and the namespace (PROD_CONTEXT=, EMAIL=)
	$(call needs,PROD_CONTEXT,the cluster: PROD_CONTEXT=<context of your kubeconfig>)
	$(call needs,EMAIL,the contact address for Let's Encrypt: EMAIL=you@example.com)
	helm upgrade --install ingress-nginx ingress-nginx $(PROD_HELM) --version $(INGRESS_NGINX_VERSION) \
		--repo https://kubernetes.github.io/ingress-nginx -n ingress-nginx --create-namespace \
		-f helm/ingress-nginx/values-production.yaml --wait --timeout 5m
	helm upgrade --install cert-manager cert-manager $(PROD_HELM) --version $(CERT_MANAGER_VERSION) \
		--repo https://charts.jetstack.io -n cert-manager --create-namespace \
		-f helm/cert-manager/values.yaml --wait --timeout 5m
	sed 's/$${EMAIL}/$(EMAIL)/' k8s/cert-manager/clusterissuer.yaml | kubectl $(PROD) apply -f -
	kubectl $(PROD) apply -f k8s/namespace.yaml

deploy-prod: ## Production: install or upgrade to this commit's images (PROD_CONTEXT=, REGISTRY=, HOST=)
	$(call needs,PROD_CONTEXT,the cluster: PROD_CONTEXT=<context of your kubeconfig>)
	$(call needs,REGISTRY,the registry of the images: REGISTRY=ghcr.io/example)
	$(call needs,HOST,the public host name: HOST=pulse.example.com)
	@test -z "$(DIRTY)" || { echo "deploy-prod: there are uncommitted changes; commit them first" >&2; exit 1; }
	@test -f $(PROD_SECRETS) || { echo "deploy-prod: $(PROD_SECRETS) is missing; create it with: scripts/deploy/secrets.sh $(PROD_SECRETS)" >&2; exit 1; }
	helm upgrade --install pulsecheck helm/pulsecheck $(PROD_HELM) -n pulsecheck \
		-f helm/pulsecheck/values-production.yaml -f $(PROD_SECRETS) \
		--set image.registry=$(REGISTRY) --set image.tag=$(TAG) --set ingress.host=$(HOST) \
		--wait --wait-for-jobs --timeout 15m

rollback-prod: ## Production: return to the previous release, or to HELM_REVISION= (PROD_CONTEXT=)
	$(call needs,PROD_CONTEXT,the cluster: PROD_CONTEXT=<context of your kubeconfig>)
	helm rollback pulsecheck $(HELM_REVISION) $(PROD_HELM) -n pulsecheck --wait --timeout 10m

logs-prod: ## Production: follow the logs of API, worker and dashboard (PROD_CONTEXT=)
	$(call needs,PROD_CONTEXT,the cluster: PROD_CONTEXT=<context of your kubeconfig>)
	kubectl $(PROD) -n pulsecheck logs -f --prefix --tail=50 --max-log-requests 20 \
		-l 'app.kubernetes.io/instance=pulsecheck,app.kubernetes.io/component in (api, worker, ui)'
