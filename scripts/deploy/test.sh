#!/usr/bin/env bash
# Runs the deployment tests that need neither a container engine nor a cluster. Uses the program that `cargo test` built, or
# PULSECHECK_BIN.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/deploy/paths.sh
scripts/deploy/tools.sh static
python=$DEPLOY_TOOLS/python/bin

echo "deploy: shell scripts"
# In these two, one has a comma inside a word of an array, and the other is sourced for its variable.
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

echo "deploy: tests"
node --test k8s/tests/*.test.mjs
