#!/usr/bin/env bash
# Writes helm/pulsecheck/values-secrets.yaml with fresh random values, unless it is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
file=${1:-helm/pulsecheck/values-secrets.yaml}
if [ -e "$file" ]; then
  echo "secrets: $file is there already, and stays as it is"
  exit 0
fi
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
umask 077
cat >"$file" <<YAML
# Made by \`make secrets\`. Not in git: keep a copy where the back-ups are not.
secrets:
  secretKey: "$(random 32)"
  postgresPassword: "$(random 24)"
  redisPassword: "$(random 24)"
YAML
echo "secrets: wrote $file"
