#!/usr/bin/env bash
# Creates a values file with random secrets, unless it exists.
#
# usage: scripts/deploy/secrets.sh [file]   helm/pulsecheck/values-secrets.yaml by default
set -euo pipefail
cd "$(dirname "$0")/../.."
file=${1:-helm/pulsecheck/values-secrets.yaml}
if [ -e "$file" ]; then
  echo "secrets: $file exists already and is left unchanged"
  exit 0
fi
random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
umask 077
cat >"$file" <<YAML
# Created by \`make secrets\`, ignored by git. Keep a copy apart from the backups.
secrets:
  secretKey: "$(random_hex 32)"
  postgresPassword: "$(random_hex 24)"
  redisPassword: "$(random_hex 24)"
YAML
echo "secrets: wrote $file"
