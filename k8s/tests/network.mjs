// Evaluates Kubernetes network policies. A pod that no policy selects for a direction is open in that direction; a selected
// pod may do what any of its policies allows. Both ends have to allow a connection. Supports namespaces, labels and address
// blocks with exceptions; throws on named ports.
import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';

/** Whether `from` can connect to `to`. An endpoint is `{ name, pod: { namespace, labels } }` or `{ name, address }`. */
export function canConnect(policies, namespaces, from, to, port, protocol = 'TCP') {
  const leaving = allows(policies, namespaces, 'Egress', from, to, port, protocol);
  const entering = allows(policies, namespaces, 'Ingress', to, from, port, protocol);
  return leaving && entering;
}

function allows(policies, namespaces, direction, self, peer, port, protocol) {
  if (!self.pod) return true;
  const governing = policies.filter((policy) => policy.namespace === self.pod.namespace
    && directions(policy.spec).includes(direction) && matchesSelector(policy.spec.podSelector, self.pod.labels));
  if (governing.length === 0) return true;
  const [rules, peers] = direction === 'Egress' ? ['egress', 'to'] : ['ingress', 'from'];
  return governing.some(({ namespace, spec }) => (spec[rules] ?? []).some((rule) => (
    portAllowed(rule.ports, port, protocol) && peerAllowed(rule[peers], namespaces, namespace, peer))));
}

/** Without `policyTypes` a policy applies to ingress, and to egress if it has egress rules. */
function directions({ policyTypes, egress }) {
  return policyTypes ?? ['Ingress', ...(egress ? ['Egress'] : [])];
}

function matchesSelector(selector, labels) {
  assert.ok(selector, 'a selector is missing');
  const unknown = Object.keys(selector).filter((key) => !['matchLabels', 'matchExpressions'].includes(key));
  assert.deepEqual(unknown, [], 'a selector has unsupported fields');
  const byLabels = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return byLabels && (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
    switch (operator) {
      case 'In': return values.includes(labels[key]);
      case 'NotIn': return !values.includes(labels[key]);
      case 'Exists': return key in labels;
      case 'DoesNotExist': return !(key in labels);
      default: throw new Error(`the operator ${operator} is not supported`);
    }
  });
}

/** No ports or an empty list allow every port of every protocol. */
function portAllowed(ports, port, protocol) {
  if (!ports || ports.length === 0) return true;
  return ports.some((allowed) => {
    assert.ok(allowed.port === undefined || Number.isInteger(allowed.port), `the port ${allowed.port} is a name`);
    if ((allowed.protocol ?? 'TCP') !== protocol) return false;
    if (allowed.port === undefined) return true;
    return allowed.port <= port && port <= (allowed.endPort ?? allowed.port);
  });
}

/** No peers or an empty list allow everybody. */
function peerAllowed(peers, namespaces, own, peer) {
  if (!peers || peers.length === 0) return true;
  return peers.some(({ ipBlock, namespaceSelector, podSelector }) => {
    if (ipBlock) return Boolean(peer.address) && contains(ipBlock, peer.address);
    if (!peer.pod) return false;
    const inNamespace = namespaceSelector
      ? matchesSelector(namespaceSelector, namespaces[peer.pod.namespace] ?? {})
      : peer.pod.namespace === own;
    return inNamespace && (!podSelector || matchesSelector(podSelector, peer.pod.labels));
  });
}

function contains({ cidr, except = [] }, address) {
  const within = (block) => {
    const [network, bits] = block.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(address) !== isIP(network)) return false;
    const list = new BlockList();
    list.addSubnet(network, Number(bits), family);
    return list.check(address, family);
  };
  for (const block of except) {
    const [network, bits] = block.split('/');
    const [outer, outerBits] = cidr.split('/');
    const list = new BlockList();
    list.addSubnet(outer, Number(outerBits), isIP(outer) === 6 ? 'ipv6' : 'ipv4');
    assert.ok(Number(bits) >= Number(outerBits) && list.check(network, isIP(network) === 6 ? 'ipv6' : 'ipv4'),
      `${block} is no part of ${cidr}, which a cluster refuses`);
  }
  return within(cidr) && !except.some(within);
}
