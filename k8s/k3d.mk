# A small copy of the production installation on this machine: http://pulsecheck-prod.localhost:8080. Needs docker, k3d,
# kubectl and helm.

K3D_CLUSTER := pulsecheck-prod
K3D := --context k3d-$(K3D_CLUSTER)
K3D_HELM := --kube-context k3d-$(K3D_CLUSTER)

.PHONY: local-prod-up local-prod-down local-prod-deploy

local-prod-up: ## K3d: create the cluster, with the production ingress
	k3d cluster create --config k8s/k3d-config.yaml --wait
	helm upgrade --install ingress-nginx ingress-nginx $(K3D_HELM) --version $(INGRESS_NGINX_VERSION) \
		--repo https://kubernetes.github.io/ingress-nginx -n ingress-nginx --create-namespace \
		-f helm/ingress-nginx/values-production.yaml --wait --timeout 5m
	kubectl $(K3D) apply -f k8s/namespace.yaml

local-prod-down: ## K3d: delete the cluster with all its data
	k3d cluster delete $(K3D_CLUSTER)

local-prod-deploy: secrets ## K3d: import the built images, install or upgrade with the production values
	k3d image import -c $(K3D_CLUSTER) $(IMAGE):$(TAG) $(UI_IMAGE):$(TAG)
	helm upgrade --install pulsecheck helm/pulsecheck $(K3D_HELM) -n pulsecheck \
		-f helm/pulsecheck/values-production.yaml -f helm/pulsecheck/values-production-local.yaml -f $(SECRETS) \
		--set image.tag=$(TAG) --wait --wait-for-jobs --timeout 10m
