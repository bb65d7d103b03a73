# Images. All have one tag: the version (the chart's appVersion) and the commit.

VERSION := $(shell sed -n 's/^appVersion: "\(.*\)"/\1/p' helm/pulsecheck/Chart.yaml)
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
DIRTY := $(if $(shell git status --porcelain 2>/dev/null),-dirty)
TAG ?= $(VERSION)-$(shell git rev-parse --short=12 HEAD 2>/dev/null)$(DIRTY)
# The registry to push to, such as ghcr.io/example. Empty: images stay on this machine.
REGISTRY ?=
# The platform of the nodes. Always passed, because the build machine may have another one.
PLATFORM ?= linux/amd64
IMAGE := $(if $(REGISTRY),$(REGISTRY)/)pulsecheck
UI_IMAGE := $(IMAGE)-ui
BUILD := docker buildx build --platform $(PLATFORM) -f docker/Dockerfile \
	--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
	$(foreach name,RUST_IMAGE DEBIAN_IMAGE NGINX_IMAGE,$(if $($(name)),--build-arg $(name)=$($(name))))

.PHONY: print-tags build-images push-images release

print-tags: ## Print the image names of this checkout
	@echo "$(IMAGE):$(TAG)"
	@echo "$(UI_IMAGE):$(TAG)"

build-images: ## Build both images (REGISTRY=, PLATFORM=)
	$(BUILD) --load --target prod -t $(IMAGE):$(TAG) .
	$(BUILD) --load --target ui -t $(UI_IMAGE):$(TAG) .

push-images: ## Build both images and push them to REGISTRY, with provenance and SBOM
	@test -n "$(REGISTRY)" || { echo "push-images: set REGISTRY, such as REGISTRY=ghcr.io/example" >&2; exit 1; }
	$(BUILD) --push --provenance=mode=max --sbom=true --target prod -t $(IMAGE):$(TAG) .
	$(BUILD) --push --provenance=mode=max --sbom=true --target ui -t $(UI_IMAGE):$(TAG) .

release: ## Push the images of a clean commit and tag it v<version>
	@scripts/deploy/release.sh "$(VERSION)"
	@$(MAKE) --no-print-directory push-images
	git tag -a "v$(VERSION)" -m "PulseCheck $(VERSION)"
	@echo "release: v$(VERSION) is tagged; \`git push origin v$(VERSION)\` publishes it"
