// Mutation tests of the deployment tests: breaks one thing at a time in a copy of the tree and reports whether a test
// notices. Not part of `make test-deploy`; run it after changing a test:
//   node k8s/tests/mutations.mjs
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, tools } from './render.mjs';

const template = (name) => `helm/pulsecheck/templates/${name}`;
const bin = (name) => join(tools, 'python/bin', name);
const tests = (...names) => ['node', '--test', ...names.map((name) => `k8s/tests/${name}.test.mjs`)];

// [what is broken, file, from, to, the command that has to notice]
const mutations = [
  ['a limit is missing', template('ui/deployment.yaml'), '{{- toYaml .Values.ui.resources | nindent 12 }}', '{{- toYaml (omit .Values.ui.resources "limits") | nindent 12 }}', tests('pods')],
  ['the waiting container has no limit', template('_pod.tpl'), '    limits: { cpu: 500m, memory: 128Mi }\n', '', tests('pods')],
  ['a probe is missing', template('redis/deployment.yaml'), 'livenessProbe:', 'livenessProbeX:', tests('pods', 'manifests')],
  ['the worker counts as alive for ten minutes', template('worker/deployment.yaml'), '--within, "60"', '--within, "600"', tests('pods')],
  ['a container may gain rights', template('_pod.tpl'), 'allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true', tests('pods')],
  ['a container keeps its capabilities', template('_pod.tpl'), '    drop: [ALL]', '    drop: [NET_RAW]', tests('pods')],
  ['a pod runs as root', template('postgres/statefulset.yaml'), '"uid" 999', '"uid" 0', tests('pods')],
  ['a root file system is writable', template('_pod.tpl'), 'readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false', tests('pods')],
  ['a pod gets a token', template('_pod.tpl'), 'automountServiceAccountToken: false', 'automountServiceAccountToken: true', tests('pods')],
  ['seccomp is off', template('_pod.tpl'), 'type: RuntimeDefault', 'type: Unconfined', tests('pods')],
  ['a part is spread for itself', template('_pod.tpl'), '{{- include "pulsecheck.selector" $root | nindent 8 }}', '{{- include "pulsecheck.componentSelector" (list $root .component) | nindent 8 }}', tests('pods')],
  ['the API does not wait', template('api/deployment.yaml'), '"arguments" (list "--schema")', '"arguments" list', tests('pods')],
  ['the heartbeat goes where nothing can be written', template('worker/deployment.yaml'), 'value: /tmp/heartbeat', 'value: /var/heartbeat', tests('pods')],
  ['a password is in a command line of a pod', template('redis/deployment.yaml'), '- sh\n', '- $(REDISCLI_AUTH)\n', tests('pods')],
  ['a password is in a command line of Compose', 'docker/compose.yaml', '--maxmemory-policy noeviction', '--maxmemory-policy noeviction --requirepass ${REDIS_PASSWORD:-development}', tests('compose')],
  ['Redis wants no password', template('redis/deployment.yaml'), '#$(printf %s "$REDISCLI_AUTH" | sha256sum | cut -c1-64)', 'nopass', tests('redis')],
  ['forwarded addresses are believed from the gateway', 'docker/compose.single.yaml', '${PULSECHECK_TRUSTED_PROXIES:-}', '${PULSECHECK_TRUSTED_PROXIES:-172.16.233.1}', tests('compose')],
  ['a password is in a pod in clear text', template('redis/deployment.yaml'), '- name: REDISCLI_AUTH\n              valueFrom:\n                secretKeyRef:\n                  name: {{ include "pulsecheck.secretName" . }}\n                  key: redis-password', '- name: REDIS_PASSWORD\n              value: {{ .Values.secrets.redisPassword }}', tests('pods')],
  ['a Secret lacks a key', template('secret.yaml'), '  database-url:', '  database-address:', tests('pods')],
  ['a setting is misspelt', template('configmap.yaml'), 'PULSECHECK_LISTEN:', 'PULSECHECK_LISTEN_ON:', tests('pods')],
  ['an image has a tag that moves', 'helm/pulsecheck/values.yaml', 'redis:7.4-bookworm', 'redis:latest', tests('pods', 'refusals')],
  ['a volume has no bound', template('api/deployment.yaml'), 'emptyDir: { sizeLimit: 64Mi }', 'emptyDir: {}', tests('pods')],
  ['the tag\'s sentinel is let through', template('requirements.yaml'), '(eq $v.image.tag "unset")', '(eq $v.image.tag "unset-")', tests('refusals')],
  ['SQLite is let through', template('requirements.yaml'), 'hasPrefix "sqlite"', 'hasPrefix "sqlight"', tests('refusals')],
  ['TLS without a host is let through', template('requirements.yaml'), '(not $v.ingress.host)', 'false', tests('refusals')],
  ['a missing secret is let through', template('requirements.yaml'), '(not $secrets.secretKey)', 'false', tests('refusals')],
  ['unknown values are let through', 'helm/pulsecheck/values.schema.json', '"additionalProperties": false,', '"additionalProperties": true,', tests('refusals'), true],
  ['default deny is for one direction only', template('network/policies.yaml'), '  policyTypes: [Ingress, Egress]\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {{ $name }}-ui', '  policyTypes: [Ingress]\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {{ $name }}-ui', tests('network')],
  ['everybody may reach PostgreSQL', template('network/policies.yaml'), '        {{- include "pulsecheck.ownPeer" (list . "migrate") | nindent 8 }}\n', '        {{- include "pulsecheck.ownPeer" (list . "migrate") | nindent 8 }}\n        - podSelector: {}\n', tests('network')],
  ['the dashboard may reach Redis', template('network/policies.yaml'), '        {{- include "pulsecheck.ownPeer" (list . "api") | nindent 8 }}\n      ports:\n        - { port: 8080, protocol: TCP }\n    {{- include "pulsecheck.toDns"', '        {{- include "pulsecheck.ownPeer" (list . "api") | nindent 8 }}\n      ports:\n        - { port: 8080, protocol: TCP }\n    {{- include "pulsecheck.toStorage" (list . "redis") | nindent 4 }}\n    {{- include "pulsecheck.toDns"', tests('network'), false, [template('network/policies.yaml'), '        {{- include "pulsecheck.ownPeer" (list . "worker") | nindent 8 }}\n      ports:\n        - { port: 6379, protocol: TCP }', '        {{- include "pulsecheck.ownPeer" (list . "worker") | nindent 8 }}\n        {{- include "pulsecheck.ownPeer" (list . "ui") | nindent 8 }}\n      ports:\n        - { port: 6379, protocol: TCP }']],
  ['any namespace\'s controller may come in', template('network/_peers.tpl'), '- namespaceSelector:\n    matchLabels:\n      kubernetes.io/metadata.name: {{ .namespace }}\n  podSelector:', '- namespaceSelector: {}\n  podSelector:', tests('network')],
  ['any pod of the ingress\'s namespace may come in', template('network/_peers.tpl'), '  podSelector:\n    matchLabels:\n      {{- toYaml .podLabels | nindent 6 }}', '- podSelector:\n    matchLabels:\n      {{- toYaml .podLabels | nindent 6 }}', tests('network')],
  ['a private range is left out', template('network/_peers.tpl'), '          - 172.16.0.0/12\n', '', tests('network')],
  ['the cloud\'s metadata is left out', template('network/_peers.tpl'), '          - 169.254.0.0/16\n', '', tests('network')],
  ['a private range is cut too short', template('network/_peers.tpl'), '100.64.0.0/10', '100.64.0.0/11', tests('network')],
  ['all of IPv6 is open', template('network/_peers.tpl'), 'cidr: 2000::/3', 'cidr: "::/0"', tests('network')],
  ['an exception lies outside its range', template('network/_peers.tpl'), '- 2002::/16', '- fc00::/7', tests('network')],
  ['DNS is forgotten for the worker', template('network/policies.yaml'), '    {{- include "pulsecheck.toStorage" (list . "redis") | nindent 4 }}\n    {{- include "pulsecheck.toDns" $dns | nindent 4 }}\n    {{- include "pulsecheck.toCollector" . | nindent 4 }}\n    {{- include "pulsecheck.toTargets" . | nindent 4 }}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {{ $name }}-migrate', '    {{- include "pulsecheck.toStorage" (list . "redis") | nindent 4 }}\n    {{- include "pulsecheck.toCollector" . | nindent 4 }}\n    {{- include "pulsecheck.toTargets" . | nindent 4 }}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {{ $name }}-migrate', tests('network')],
  ['metrics are open to everybody', template('network/_peers.tpl'), '- from:\n    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: {{ .Values.networkPolicy.monitoringNamespace }}\n  ports:', '- ports:', tests('network')],
  ['a policy selects nothing', template('network/policies.yaml'), '      {{- include "pulsecheck.componentSelector" (list . "redis") | nindent 6 }}', '      app: redis', tests('network')],
  ['a Service selects the wrong pods', template('api/service.yaml'), '{{- include "pulsecheck.componentSelector" (list . "api") | nindent 4 }}', '{{- include "pulsecheck.componentSelector" (list . "ui") | nindent 4 }}', tests('objects')],
  ['replicas fight the autoscaler', template('api/deployment.yaml'), '{{- if not .Values.api.autoscaling.enabled }}', '{{- if true }}', tests('objects')],
  ['the API may scale to ten', 'helm/pulsecheck/values.yaml', 'maxReplicas: 3', 'maxReplicas: 10', tests('objects')],
  ['a drain can never end', template('disruption.yaml'), 'maxUnavailable: 1', 'maxUnavailable: 0', tests('objects')],
  ['the migration is no hook', template('migrate/job.yaml'), 'helm.sh/hook: pre-upgrade', 'helm.sh/hook: post-upgrade', tests('objects')],
  ['a changed secret starts nothing anew', template('_pod.tpl'), 'checksum/secret: {{ include (print .Template.BasePath "/secret.yaml") . | sha256sum }}', 'checksum/secret: fixed', tests('objects')],
  ['production lets strangers in', 'helm/pulsecheck/values-production.yaml', 'PULSECHECK_SIGN_UP: nobody', 'PULSECHECK_SIGN_UP: anyone', tests('objects')],
  ['chart and program are two versions', 'helm/pulsecheck/Chart.yaml', 'appVersion: "0.1.0"', 'appVersion: "0.2.0"', tests('objects', 'clusters')],
  ['a field is misspelt', template('worker/deployment.yaml'), 'terminationGracePeriodSeconds', 'terminationGraceSeconds', tests('manifests')],
  ['a boolean where a text belongs', template('redis/deployment.yaml'), '- "no"', '- no', tests('manifests')],
  ['PostgreSQL is published', 'docker/compose.yaml', '    networks: [data]\n    healthcheck:\n      # Over TCP', '    ports: ["5432:5432"]\n    networks: [data]\n    healthcheck:\n      # Over TCP', tests('compose')],
  ['the dashboard is in the data network', 'docker/compose.yaml', 'networks: [web]\n    healthcheck:\n      test: [CMD, wget', 'networks: [web, data]\n    healthcheck:\n      test: [CMD, wget', tests('compose')],
  ['the API starts before the schema', 'docker/compose.yaml', 'migrate: { condition: service_completed_successfully }', 'migrate: { condition: service_started }', tests('compose'), true],
  ['sources are mounted on a server', 'docker/compose.prod.yaml', '    volumes: !reset []\n    environment:\n', '    environment:\n', tests('compose')],
  ['a server\'s container is writable', 'docker/compose.prod.yaml', '  read_only: true\n', '', tests('compose')],
  ['a health check is missing', 'docker/compose.yaml', 'test: [CMD, redis-cli, -e, ping]', 'disable: true', tests('compose')],
  ['a development password gets to a server', 'docker/compose.prod.yaml', '${REDIS_PASSWORD:?set REDIS_PASSWORD in docker/.env}@redis', '${REDIS_PASSWORD:-development}@redis', tests('compose')],
  ['a worker gets another secret key than the API', 'docker/compose.yaml', '      # Opens the secrets that the API seals.\n      PULSECHECK_SECRET_KEY: ${PULSECHECK_SECRET_KEY:-only-for-development-0123456789abcdef}\n', '      PULSECHECK_SECRET_KEY: x\n', tests('compose')],
  ['a worker learns of half a provider', template('worker/deployment.yaml'), '          env:\n', '            - configMapRef:\n                name: {{ include "pulsecheck.fullname" . }}-sign-in\n          env:\n', tests('objects')],
  ['two stacks share a port', 'docker/compose.single.yaml', '127.0.0.1:8002', '127.0.0.1:8080', tests('compose')],
  ['the image runs as root', 'docker/Dockerfile', 'USER 1000:1000\nWORKDIR /', 'WORKDIR /', tests('compose')],
  ['a base image is written into a stage', 'docker/Dockerfile', 'FROM ${NGINX_IMAGE} AS ui', 'FROM docker.io/library/nginx:1.28 AS ui', tests('compose')],
  ['a pipe hides a failure', 'docker/Dockerfile', 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\n', '', [bin('hadolint'), '-c', 'docker/hadolint.yaml', 'docker/Dockerfile']],
  ['a variable is not quoted', 'scripts/deploy/secrets.sh', 'if [ -e "$file" ]', 'if [ -e $file ]', ['shellcheck', '-x', 'scripts/deploy/secrets.sh']],
  ['WebSockets are not upgraded', 'docker/nginx/snippets/proxy.conf', 'proxy_set_header Upgrade $http_upgrade;\n', '', tests('nginx')],
  ['the API does not learn its name', 'docker/nginx/snippets/proxy.conf', 'proxy_set_header Host $http_host;\n', '', tests('nginx')],
  ['what a client says about its address is handed on', 'docker/nginx/snippets/proxy.conf', 'X-Forwarded-For $remote_addr', 'X-Forwarded-For $proxy_add_x_forwarded_for', tests('nginx')],
  ['only the last proxy is left out', 'docker/nginx/nginx.conf', 'real_ip_recursive on', 'real_ip_recursive off', tests('nginx')],
  ['all private addresses are believed', 'docker/compose.prod.yaml', 'PULSECHECK_TRUSTED_PROXIES: ${PULSECHECK_WEB_NETWORK:-172.16.232.0/28}', 'PULSECHECK_TRUSTED_PROXIES: 172.16.0.0/12', tests('compose')],
  ['the proxy in front is not believed', template('ui/configmap.yaml'), '    set_real_ip_from {{ . }};\n', '', tests('objects')],
  ['a header is missing', 'docker/nginx/snippets/headers.conf', 'add_header X-Frame-Options DENY always;\n', '', tests('nginx')],
  ['the dashboard\'s policy allows inline scripts', 'docker/nginx/nginx.conf', "script-src 'self' 'wasm-unsafe-eval'", "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'", tests('nginx')],
  ['hashed files are not cached', 'docker/nginx/nginx.conf', '"~/assets/." "public, max-age=31536000, immutable";', '"~/assets/." "no-cache";', tests('nginx')],
  ['brotli copies are not used', 'docker/nginx/snippets/files.conf', 'set $tree br;', 'set $tree plain;', tests('nginx')],
  ['missing files answer with the page', 'docker/nginx/nginx.conf', 'try_files $uri =404;', 'try_files $uri /index.html;', tests('nginx')],
  ['nginx\'s configuration has a mistake', 'docker/nginx/nginx.conf', 'sendfile on;', 'sendfile maybe;', tests('nginx')],
  ['an action is pinned by a tag', '.github/workflows/images.yml', 'docker/setup-buildx-action@b5ca514318bd6ebac0fb2aedd5d36ec1b5c232a2', 'docker/setup-buildx-action@v3', tests('workflows')],
  ['a workflow may write everything', '.github/workflows/images.yml', 'permissions: {}', 'permissions: write-all', tests('workflows')],
  ['an expression names what is not there', '.github/workflows/images.yml', 'steps.name.outputs.image }}\n          build-args', 'steps.nme.outputs.image }}\n          build-args', tests('workflows')],
  ['a title runs as a command', '.github/workflows/images.yml', 'run: make verify-compose', 'run: echo "${{ github.event.pull_request.title }}"', [bin('zizmor'), '--offline', '--quiet', '--no-progress', '.github/workflows']],
  ['Kind\'s API listens everywhere', 'k8s/kind-config.yaml', 'apiServerAddress: 127.0.0.1', 'apiServerAddress: 0.0.0.0', tests('clusters')],
  ['the edge has no taint', 'k8s/kind-config.yaml', 'effect: NoSchedule', 'effect: PreferNoSchedule', tests('clusters')],
  ['every address is a trusted proxy', 'helm/ingress-nginx/values-production.yaml', '173.245.48.0/20', '0.0.0.0/0', tests('clusters')],
  ['the build says no platform', 'k8s/images.mk', '--platform $(PLATFORM) ', '', tests('clusters')],
  ['a production target forgets its cluster', 'k8s/production.mk', 'helm rollback pulsecheck $(HELM_REVISION) $(PROD_HELM)', 'helm rollback pulsecheck $(HELM_REVISION)', tests('clusters')],
  ['a dirty tree is released', 'scripts/deploy/release.sh', '[ -z "$(git status --porcelain)" ]', '[ -n "x" ]', tests('clusters')],
  ['a secrets file is readable to all', 'scripts/deploy/secrets.sh', 'umask 077', 'umask 022', tests('clusters')],
];

const only = process.argv[2];
const directory = mkdtempSync(join(tmpdir(), 'pulsecheck-mutations-'));
let missed = 0;
try {
  for (const name of ['docker', 'helm', 'k8s', 'scripts', '.github', 'Makefile', 'Cargo.toml', 'README.md', '.env.example', '.gitignore', 'docs']) {
    cpSync(join(root, name), join(directory, name), { recursive: true, filter: (path) => !path.includes('node_modules') });
  }
  symlinkSync(join(root, 'k8s/tests/node_modules'), join(directory, 'k8s/tests/node_modules'));
  symlinkSync(join(root, 'target'), join(directory, 'target'));
  spawnSync('git', ['init', '-q'], { cwd: directory });
  spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t.example', 'commit', '-q', '--allow-empty', '-m', 'x'], { cwd: directory });

  const run = ([command, ...args]) => spawnSync(command, args, { cwd: directory, encoding: 'utf8', maxBuffer: 1 << 28 });
  /** Returns the names of failed tests, or the first relevant line of another tool. */
  const failures = ({ status, stdout, stderr }) => {
    if (status === 0) return [];
    const named = [...stdout.matchAll(/^\s*not ok \d+ - (.+)$/gm)].map(([, test]) => test);
    return named.length > 0 ? named : [(stdout + stderr).split('\n').find((line) => /DL\d|SC\d|error|help/.test(line))?.trim() ?? 'its exit code'];
  };
  const baseline = new Map();
  for (const [name, file, from, to, check, everywhere, also] of mutations) {
    if (only && !name.includes(only) && !file.includes(only)) continue;
    const key = check.join(' ');
    // Failures of the unchanged tree do not count.
    if (!baseline.has(key)) baseline.set(key, failures(run(check)));
    const changes = [[file, from, to], ...(also ? [also] : [])];
    const before = new Map();
    for (const [path, old, replacement] of changes) {
      const text = readFileSync(join(directory, path), 'utf8');
      if (!before.has(path)) before.set(path, text);
      if (!text.includes(old)) throw new Error(`${name}: ${path} does not contain ${old}`);
      writeFileSync(join(directory, path), everywhere ? text.replaceAll(old, replacement) : text.replace(old, () => replacement));
    }
    const ran = run(check);
    for (const [path, text] of before) writeFileSync(join(directory, path), text);
    const noticed = failures(ran).filter((failure) => !baseline.get(key).includes(failure));
    if (noticed.length === 0) missed += 1;
    console.log(noticed.length === 0 ? `MISSED ${name}` : `caught ${name}\n         by ${noticed[0]}${noticed.length > 1 ? ` (and ${noticed.length - 1} more)` : ''}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
console.log(missed === 0 ? 'Every mutation was noticed.' : `${missed} mutation(s) were not noticed.`);
process.exitCode = missed === 0 ? 0 : 1;
