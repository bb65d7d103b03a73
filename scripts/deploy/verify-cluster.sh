#!/usr/bin/env bash
# Verifies on a running cluster what only a cluster can show, and prints pass or fail for each claim. It deletes pods, which
# are recreated, and runs temporary pods; it changes nothing else.
#
# usage: scripts/deploy/verify-cluster.sh <context> [namespace] [release]
#   after `make cluster-up redeploy`; needs kubectl, helm and curl
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
context=${1:?usage: verify-cluster.sh <context> [namespace] [release]}
namespace=${2:-pulsecheck}
release=${3:-pulsecheck}
failed=0

k() { kubectl --context "$context" -n "$namespace" "$@"; }
part() { echo "app.kubernetes.io/instance=$release,app.kubernetes.io/component=$1"; }

# claim <sentence> <command>...: passes if the command succeeds.
claim() {
  local sentence=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "pass  $sentence"
  else
    failed=$((failed + 1))
    echo "FAIL  $sentence"
    [ -z "$output" ] || printf '%s\n' "$output" | tail -n 5 | sed 's/^/      /'
  fi
}

# retry_for <seconds> <command>...: repeats the command until it succeeds.
retry_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $until ] || return 1
    sleep 2
  done
}

nodes_have_roles() {
  [ "$(kubectl --context "$context" get nodes -l role=app -o name | wc -l)" -eq 2 ] &&
    [ "$(kubectl --context "$context" get nodes -l role=edge -o jsonpath='{.items[*].spec.taints[?(@.key=="role")].effect}')" = NoSchedule ]
}

coredns_is_spread() {
  local nodes
  nodes=$(kubectl --context "$context" -n kube-system get pods -l k8s-app=kube-dns -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}')
  if [ "$(wc -l <<<"$nodes")" -lt 2 ] || [ "$(sort -u <<<"$nodes" | wc -l)" -ne "$(wc -l <<<"$nodes")" ]; then
    echo "CoreDNS runs on: $nodes"
    return 1
  fi
}

all_ready() { k wait --for=condition=Ready pod -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component notin (migrate)" --timeout=180s; }

edge_node_is_empty() {
  local edge pods
  edge=$(kubectl --context "$context" get nodes -l role=edge -o jsonpath='{.items[0].metadata.name}')
  [ -n "$edge" ] && pods=$(k get pods -o name --field-selector "spec.nodeName=$edge") && [ -z "$pods" ]
}

pods_use_both_nodes() {
  [ "$(k get pods -l "app.kubernetes.io/instance=$release" --field-selector status.phase=Running \
    -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort -u | wc -l)" -ge 2 ]
}

public_url() { k get configmap "$release" -o jsonpath='{.data.PULSECHECK_PUBLIC_URL}'; }
fetch_page() { curl -fsS --max-time 10 --resolve "$(public_url | sed 's#.*//##; s#:.*##'):80:127.0.0.1" "$(public_url)$1"; }

login_link_works() {
  local link
  link=$(k exec "deploy/$release-api" -c api -- pulsecheck login-link | sed -n 's/^Sign in: //p')
  [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 --resolve "$(public_url | sed 's#.*//##; s#:.*##'):80:127.0.0.1" "$link")" = 303 ]
}

websocket_upgrades() {
  [ "$(curl -s -o /dev/null -w '%{http_code}' --http1.1 --max-time 5 --resolve "$(public_url | sed 's#.*//##; s#:.*##'):80:127.0.0.1" \
    -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
    -H 'Sec-WebSocket-Protocol: graphql-transport-ws' -H "Origin: $(public_url)" "$(public_url)/api/graphql/ws")" = 101 ]
}

# probe_port <component> <host> <port>: prints "open" or "closed", as seen by a pod with the labels of the component, to which
# its network policies apply. The image is the database's, which is on the nodes and has a shell. The pod is never ready, or
# the Service of the component would send requests to it.
probe_port() {
  local name image attempt
  name=verify-$1-$RANDOM
  image=$(k get "statefulset/$release-postgres" -o jsonpath='{.spec.template.spec.containers[0].image}')
  attempt="if timeout 5 bash -c 'exec 3<>/dev/tcp/$2/$3' 2>/dev/null; then echo open; else echo closed; fi"
  k run "$name" --rm -i --quiet --restart=Never --image="$image" --image-pull-policy=IfNotPresent \
    --labels="app.kubernetes.io/name=pulsecheck,app.kubernetes.io/instance=$release,app.kubernetes.io/component=$1,verify=true" \
    --overrides='{"spec":{"automountServiceAccountToken":false,"securityContext":{"runAsNonRoot":true,"runAsUser":999,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"'"$name"'","image":"'"$image"'","stdin":true,"readinessProbe":{"exec":{"command":["false"]}},"command":["bash","-c","'"$attempt"'"],"securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}' 2>&1
}
is_open() { grep -qx open <<<"$(probe_port "$@")"; }
is_closed() {
  local output
  output=$(probe_port "$@")
  grep -qx closed <<<"$output" || { echo "$output"; return 1; }
}

pods_have_no_token() {
  local component
  for component in api worker ui; do
    [ "$(k get pod -l "$(part $component)" -o jsonpath='{.items[0].spec.automountServiceAccountToken}')" = false ] || return 1
    k get pod -l "$(part $component)" -o jsonpath='{.items[*].spec.volumes[*].name}' | grep -q kube-api-access && return 1
  done
  return 0
}

privileged_pod_is_rejected() {
  local output
  output=$(k run verify-root --image=busybox --restart=Never --dry-run=server --privileged 2>&1) && return 1
  grep -q 'violates PodSecurity' <<<"$output" || { echo "$output"; return 1; }
}

autoscaler_reads_cpu() { k get hpa "$release-api" -o jsonpath='{.status.currentMetrics[0].resource.current.averageUtilization}' | grep -q '[0-9]'; }
worker_may_be_evicted() { [ "$(k get pdb "$release-worker" -o jsonpath='{.status.disruptionsAllowed}')" -ge 1 ]; }

recovers_from_deletion() {
  k delete pod -l "$(part "$1")" --wait=false >/dev/null && sleep 1 && retry_for 180 all_ready >/dev/null
}

restart_serves_every_request() {
  local misses=0 upgrade
  k rollout restart "deployment/$release-ui" "deployment/$release-api" "deployment/$release-worker" >/dev/null
  k rollout status "deployment/$release-api" --timeout=180s >/dev/null &
  upgrade=$!
  while kill -0 $upgrade 2>/dev/null; do
    fetch_page /api/health >/dev/null 2>&1 || misses=$((misses + 1))
    sleep 0.2
  done
  [ $misses -eq 0 ] || { echo "$misses requests failed"; return 1; }
}

schema_is_migrated() { k logs "job/$release-migrate-install" -c migrate 2>/dev/null | grep -q 'up to date' || helm --kube-context "$context" -n "$namespace" history "$release" | grep -q deployed; }
release_is_deployed() { helm --kube-context "$context" -n "$namespace" status "$release" | grep -q 'STATUS: deployed'; }

claim "the nodes have their roles, and the edge node its taint" nodes_have_roles
claim "no two CoreDNS pods share a node" coredns_is_spread
claim "the release is deployed" release_is_deployed
claim "the schema was migrated" schema_is_migrated
claim "every pod is ready" all_ready
claim "no pod of the release runs on the edge node" edge_node_is_empty
claim "the pods are spread over both nodes" pods_use_both_nodes
claim "the dashboard responds through the ingress" fetch_page /
claim "the API is ready through the ingress" fetch_page /api/ready
claim "a one-time link signs a user in through the ingress" login_link_works
claim "a WebSocket is upgraded through the ingress" websocket_upgrades
claim "ui reaches the API" is_open ui "$release-api" 8080
claim "ui does not reach PostgreSQL" is_closed ui "$release-postgres" 5432
claim "ui does not reach Redis" is_closed ui "$release-redis" 6379
claim "api reaches PostgreSQL" is_open api "$release-postgres" 5432
claim "api reaches Redis" is_open api "$release-redis" 6379
claim "worker reaches PostgreSQL" is_open worker "$release-postgres" 5432
claim "worker reaches Redis" is_open worker "$release-redis" 6379
claim "worker does not reach the API" is_closed worker "$release-api" 8080
claim "worker reaches the internet" is_open worker 1.1.1.1 443
claim "worker does not reach the Kubernetes API" is_closed worker kubernetes.default.svc 443
claim "worker does not reach the metadata service of a cloud" is_closed worker 169.254.169.254 80
claim "migrate reaches PostgreSQL and not Redis" eval "is_open migrate $release-postgres 5432 && is_closed migrate $release-redis 6379"
claim "no pod has a Kubernetes token" pods_have_no_token
claim "the namespace rejects a privileged pod" privileged_pod_is_rejected
claim "the autoscaler reads the CPU usage of the API" retry_for 120 autoscaler_reads_cpu
claim "a worker may be evicted while another one runs" worker_may_be_evicted
for component in ui api worker redis postgres; do
  claim "$component recovers after its pods are deleted" recovers_from_deletion "$component"
done
claim "every request is served while the API restarts" restart_serves_every_request

if [ $failed -eq 0 ]; then
  echo "All claims hold."
else
  echo "$failed claim(s) failed."
  exit 1
fi
