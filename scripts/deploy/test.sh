#!/usr/bin/env bash
# Checks everything about the deployment that can be checked without an engine or a cluster, by the tools that are made for
# it. Uses the program that `cargo test` left behind, or PULSECHECK_BIN.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/deploy/places.sh
scripts/deploy/tools.sh static
python=$DEPLOY_TOOLS/python/bin

echo "deploy: shell scripts"
# These two are older than this check: one has a comma inside a word of an array, the other is sourced for its variable.
mapfile -t scripts < <(git ls-files '*.sh' .ci/run | grep -v -e '^scripts/ui.sh$' -e '^scripts/wasm-toolchain.sh$')
shellcheck -x "${scripts[@]}"
shellcheck -x -e SC2034,SC2054 scripts/ui.sh scripts/wasm-toolchain.sh

echo "deploy: Dockerfiles"
"$python/hadolint" -c docker/hadolint.yaml docker/Dockerfile

echo "deploy: YAML"
mapfile -t yaml < <(git ls-files 'docker/*.yaml' 'helm/*.yaml' 'k8s/*.yaml' '.github/*.yml' | grep -v /templates/)
"$python/yamllint" -s -c k8s/tests/yamllint.yaml "${yaml[@]}"

echo "deploy: workflows"
"$python/zizmor" --offline --quiet --no-progress .github/workflows

echo "deploy: what the tests say"
node --test k8s/tests/*.test.mjs
