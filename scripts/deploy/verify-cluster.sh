#!/usr/bin/env bash
# Checks on a running cluster what only a cluster can show, and says pass or fail of each claim. Changes nothing that it does
# not put back: it deletes pods, which come again, and runs pods of its own.
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

# claim <sentence> <command>...: pass when the command succeeds.
claim() {
  local sentence=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "pass  $sentence"
  else
    failed=$((failed + 1))
    echo "FAIL  $sentence"
    [ -z "$said" ] || printf '%s\n' "$said" | tail -n 5 | sed 's/^/      /'
  fi
}

# within <seconds> <command>...: tries until it succeeds.
within() {
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

dns_is_spread() {
  local on
  on=$(kubectl --context "$context" -n kube-system get pods -l k8s-app=kube-dns -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}')
  if [ "$(wc -l <<<"$on")" -lt 2 ] || [ "$(sort -u <<<"$on" | wc -l)" -ne "$(wc -l <<<"$on")" ]; then
    echo "CoreDNS runs on: $on"
    return 1
  fi
}

all_ready() { k wait --for=condition=Ready pod -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component notin (migrate)" --timeout=180s; }

nothing_on_the_edge() {
  local edge there
  edge=$(kubectl --context "$context" get nodes -l role=edge -o jsonpath='{.items[0].metadata.name}')
  [ -n "$edge" ] && there=$(k get pods -o name --field-selector "spec.nodeName=$edge") && [ -z "$there" ]
}

both_nodes_carry() {
  [ "$(k get pods -l "app.kubernetes.io/instance=$release" --field-selector status.phase=Running \
    -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort -u | wc -l)" -ge 2 ]
}

address() { k get configmap "$release" -o jsonpath='{.data.PULSECHECK_PUBLIC_URL}'; }
page_answers() { curl -fsS --max-time 10 --resolve "$(address | sed 's#.*//##; s#:.*##'):80:127.0.0.1" "$(address)$1"; }

login_works() {
  local link
  link=$(k exec "deploy/$release-api" -c api -- pulsecheck login-link | sed -n 's/^Sign in: //p')
  [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 --resolve "$(address | sed 's#.*//##; s#:.*##'):80:127.0.0.1" "$link")" = 303 ]
}

socket_upgrades() {
  [ "$(curl -s -o /dev/null -w '%{http_code}' --http1.1 --max-time 5 --resolve "$(address | sed 's#.*//##; s#:.*##'):80:127.0.0.1" \
    -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
    -H 'Sec-WebSocket-Protocol: graphql-transport-ws' -H "Origin: $(address)" "$(address)/api/graphql/ws")" = 101 ]
}

# tried <component> <host> <port>: "open" or "closed", as a pod with the labels of a component, and so under its policies,
# finds it. The image is the database's, which is on the nodes and has a shell. The pod is never ready, or the Service of the
# component would send requests to it.
tried() {
  local name image attempt
  name=verify-$1-$RANDOM
  image=$(k get "statefulset/$release-postgres" -o jsonpath='{.spec.template.spec.containers[0].image}')
  attempt="if timeout 5 bash -c 'exec 3<>/dev/tcp/$2/$3' 2>/dev/null; then echo open; else echo closed; fi"
  k run "$name" --rm -i --quiet --restart=Never --image="$image" --image-pull-policy=IfNotPresent \
    --labels="app.kubernetes.io/name=pulsecheck,app.kubernetes.io/instance=$release,app.kubernetes.io/component=$1,verify=true" \
    --overrides='{"spec":{"automountServiceAccountToken":false,"securityContext":{"runAsNonRoot":true,"runAsUser":999,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"'"$name"'","image":"'"$image"'","stdin":true,"readinessProbe":{"exec":{"command":["false"]}},"command":["bash","-c","'"$attempt"'"],"securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}' 2>&1
}
from() { grep -qx open <<<"$(tried "$@")"; }
closed() {
  local said
  said=$(tried "$@")
  grep -qx closed <<<"$said" || { echo "$said"; return 1; }
}

token_is_absent() {
  local component
  for component in api worker ui; do
    [ "$(k get pod -l "$(part $component)" -o jsonpath='{.items[0].spec.automountServiceAccountToken}')" = false ] || return 1
    k get pod -l "$(part $component)" -o jsonpath='{.items[*].spec.volumes[*].name}' | grep -q kube-api-access && return 1
  done
  return 0
}

root_is_refused() {
  local said
  said=$(k run verify-root --image=busybox --restart=Never --dry-run=server --privileged 2>&1) && return 1
  grep -q 'violates PodSecurity' <<<"$said" || { echo "$said"; return 1; }
}

hpa_sees() { k get hpa "$release-api" -o jsonpath='{.status.currentMetrics[0].resource.current.averageUtilization}' | grep -q '[0-9]'; }
budget_allows() { [ "$(k get pdb "$release-worker" -o jsonpath='{.status.disruptionsAllowed}')" -ge 1 ]; }

comes_back() {
  k delete pod -l "$(part "$1")" --wait=false >/dev/null && sleep 1 && within 180 all_ready >/dev/null
}

upgrade_keeps_answering() {
  local misses=0 upgrade
  k rollout restart "deployment/$release-ui" "deployment/$release-api" "deployment/$release-worker" >/dev/null
  k rollout status "deployment/$release-api" --timeout=180s >/dev/null &
  upgrade=$!
  while kill -0 $upgrade 2>/dev/null; do
    page_answers /api/health >/dev/null 2>&1 || misses=$((misses + 1))
    sleep 0.2
  done
  [ $misses -eq 0 ] || { echo "$misses requests were not answered"; return 1; }
}

migrated() { k logs "job/$release-migrate-install" -c migrate 2>/dev/null | grep -q 'up to date' || helm --kube-context "$context" -n "$namespace" history "$release" | grep -q deployed; }
same_objects() { helm --kube-context "$context" -n "$namespace" status "$release" | grep -q 'STATUS: deployed'; }

claim "the nodes have their roles, and the edge its taint" nodes_have_roles
claim "no two CoreDNS pods share a node" dns_is_spread
claim "the release is deployed" same_objects
claim "the schema was migrated" migrated
claim "every pod is ready" all_ready
claim "nothing of ours runs on the edge node" nothing_on_the_edge
claim "the pods share both nodes" both_nodes_carry
claim "the dashboard answers through the ingress" page_answers /
claim "the API is ready through the ingress" page_answers /api/ready
claim "a one-time link signs in through the ingress" login_works
claim "a live connection is upgraded through the ingress" socket_upgrades
claim "ui reaches the API" from ui "$release-api" 8080
claim "ui does not reach PostgreSQL" closed ui "$release-postgres" 5432
claim "ui does not reach Redis" closed ui "$release-redis" 6379
claim "api reaches PostgreSQL" from api "$release-postgres" 5432
claim "api reaches Redis" from api "$release-redis" 6379
claim "worker reaches PostgreSQL" from worker "$release-postgres" 5432
claim "worker reaches Redis" from worker "$release-redis" 6379
claim "worker does not reach the API" closed worker "$release-api" 8080
claim "worker reaches the internet" from worker 1.1.1.1 443
claim "worker does not reach the cluster's own API" closed worker kubernetes.default.svc 443
claim "worker does not reach a cloud's metadata" closed worker 169.254.169.254 80
claim "migrate reaches PostgreSQL and not Redis" eval "from migrate $release-postgres 5432 && closed migrate $release-redis 6379"
claim "no pod holds a token for the cluster" token_is_absent
claim "the namespace refuses a privileged pod" root_is_refused
claim "the autoscaler sees the API's CPU" within 120 hpa_sees
claim "a worker may be taken away, and one stays" budget_allows
for component in ui api worker redis postgres; do
  claim "$component comes back after its pods are deleted" comes_back "$component"
done
claim "while the API is rolled over, every request is answered" upgrade_keeps_answering

if [ $failed -eq 0 ]; then
  echo "All claims hold."
else
  echo "$failed claim(s) do not hold."
  exit 1
fi
