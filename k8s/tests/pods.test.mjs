// Tests every pod and container of every installation: limits, probes, privileges.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { containers, pods, renderAll, root } from './render.mjs';

const all = renderAll();

/** Runs `check` for every pod of every installation. */
function everyPod(check) {
  let seen = 0;
  for (const [installation, objects] of all) {
    for (const pod of pods(objects)) {
      seen += 1;
      check(pod, `${pod.component} of ${installation}`, objects);
    }
  }
  assert.ok(seen > 0, 'no pod was rendered');
}

function everyContainer(check) {
  everyPod((pod, where, objects) => {
    for (const container of containers(pod)) check(container, `${container.name} in ${where}`, pod, objects);
  });
}

test('each installation has the expected pods', () => {
  const expected = (name) => ['api', 'migrate', 'ui', 'worker',
    ...(name.startsWith('managed') ? [] : ['postgres', 'redis'])].sort();
  for (const [name, objects] of all) assert.deepEqual(pods(objects).map((pod) => pod.component).sort(), expected(name), name);
});

test('every container has requests and limits for CPU and memory', () => {
  everyContainer(({ resources }, where) => {
    for (const kind of ['requests', 'limits']) {
      for (const of of ['cpu', 'memory']) assert.ok(resources?.[kind]?.[of], `${where} has no ${kind}.${of}`);
    }
  });
});

test('every long-running container has startup, liveness and readiness probes', () => {
  everyPod((pod, where) => {
    if (pod.owner.kind === 'Job') return;
    for (const container of pod.spec.containers) {
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        const found = container[probe];
        assert.ok(found?.httpGet || found?.exec, `${container.name} in ${where} has no ${probe}`);
        if (found.httpGet) assert.ok(container.ports.some(({ name }) => name === found.httpGet.port), `${where}: ${probe} asks a port that is not there`);
      }
    }
  });
});

test('worker probes accept a heartbeat of 60 s for liveness, 30 s for readiness', () => {
  everyPod((pod, where) => {
    if (pod.component !== 'worker') return;
    const [worker] = pod.spec.containers;
    const within = (probe) => worker[probe].exec.command.join(' ');
    assert.equal(within('livenessProbe'), 'pulsecheck healthcheck --worker --within 60', where);
    assert.equal(within('readinessProbe'), 'pulsecheck healthcheck --worker --within 30', where);
    const file = worker.env.find(({ name }) => name === 'PULSECHECK_HEARTBEAT_FILE')?.value;
    assert.ok(worker.volumeMounts.some(({ mountPath }) => file?.startsWith(`${mountPath}/`)), `${where}: the heartbeat ${file} cannot be written`);
  });
});

test('every pod is non-root, without token, with the default seccomp profile', () => {
  everyPod(({ spec }, where) => {
    const { runAsNonRoot, runAsUser, seccompProfile } = spec.securityContext;
    assert.equal(runAsNonRoot, true, where);
    assert.ok(runAsUser >= 999, `${where} runs as ${runAsUser}`);
    assert.equal(seccompProfile?.type, 'RuntimeDefault', where);
    assert.equal(spec.automountServiceAccountToken, false, where);
    assert.equal(spec.enableServiceLinks, false, where);
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'serviceAccountName']) assert.equal(spec[field], undefined, `${where}: ${field}`);
  });
});

test('our own images run as user 1000', () => {
  everyPod((pod, where) => {
    if (['postgres', 'redis'].includes(pod.component)) return;
    assert.equal(pod.spec.securityContext.runAsUser, 1000, where);
  });
});

test('no secret is in a command line', () => {
  everyContainer(({ command = [], args = [], env = [] }, where) => {
    // Kubernetes replaces $(NAME) in commands by the variable's value.
    for (const { name, valueFrom } of env) {
      if (valueFrom?.secretKeyRef) assert.ok(![...command, ...args].some((word) => word.includes(`$(${name})`)), `${where}: ${name}`);
    }
  });
});

test('no container can gain privileges or write into its image', () => {
  everyContainer(({ securityContext, env, ports }, where) => {
    assert.equal(securityContext?.allowPrivilegeEscalation, false, where);
    assert.deepEqual(securityContext.capabilities, { drop: ['ALL'] }, where);
    assert.equal(securityContext.readOnlyRootFilesystem, true, where);
    assert.equal(securityContext.privileged, undefined, where);
    assert.equal(securityContext.runAsUser, undefined, `${where}: the pod says who it runs as`);
    for (const { name, value } of env ?? []) {
      assert.ok(value === undefined || !/PASSWORD|SECRET|_URL$/.test(name), `${where}: ${name} is in the pod in clear text`);
    }
    for (const { hostPort, protocol } of ports ?? []) {
      assert.equal(hostPort, undefined, where);
      assert.equal(protocol, 'TCP', where);
    }
  });
});

test('volumes are bounded, declared, and never on the node', () => {
  everyPod((pod, where) => {
    const claimed = (pod.owner.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
    const volumes = pod.spec.volumes ?? [];
    for (const volume of volumes) {
      assert.equal(volume.hostPath, undefined, where);
      if (volume.emptyDir) assert.ok(volume.emptyDir.sizeLimit, `${where}: ${volume.name} has no bound`);
    }
    for (const container of containers(pod)) {
      for (const { name } of container.volumeMounts ?? []) {
        assert.ok([...claimed, ...volumes.map((volume) => volume.name)].includes(name), `${where}: no volume ${name}`);
      }
    }
  });
});

test('one selector spreads all pods over the nodes', () => {
  everyPod(({ spec, labels }, where) => {
    const [{ maxSkew, whenUnsatisfiable, topologyKey, labelSelector }, ...more] = spec.topologySpreadConstraints;
    assert.deepEqual([maxSkew, whenUnsatisfiable, topologyKey, more.length], [1, 'ScheduleAnyway', 'kubernetes.io/hostname', 0], where);
    assert.deepEqual(labelSelector, { matchLabels: { 'app.kubernetes.io/name': 'pulsecheck', 'app.kubernetes.io/instance': 'pulsecheck' } }, where);
    for (const [key, value] of Object.entries(labelSelector.matchLabels)) assert.equal(labels[key], value, where);
  });
});

test('API and worker wait for PostgreSQL, Redis and the schema; the migration for PostgreSQL', () => {
  everyPod((pod, where) => {
    const waits = (pod.spec.initContainers ?? []).map(({ args, env }) => `${args.join(' ')}: ${env.map(({ name }) => name)}`);
    const both = ['wait --schema: DATABASE_URL,REDIS_URL'];
    const expected = { api: both, worker: both, migrate: ['wait: DATABASE_URL'] }[pod.component] ?? [];
    assert.deepEqual(waits, expected, where);
  });
});

test('no image has a moving tag, and both of ours have the same one', () => {
  const ours = new Set();
  everyContainer(({ image }, where) => {
    const tag = image.match(/:([^/:@]+)(@sha256:[0-9a-f]{64})?$/)?.[1];
    assert.ok(tag && !['latest', 'unset', 'stable', 'main'].includes(tag), `${where} has the image ${image}`);
    if (image.includes('pulsecheck')) ours.add(tag);
  });
  assert.deepEqual([...ours], ['0.1.0-0123abc']);
});

test('every environment variable is a documented setting', () => {
  const documented = readFileSync(join(root, 'README.md'), 'utf8') + readFileSync(join(root, '.env.example'), 'utf8');
  everyContainer((container, where, pod, objects) => {
    if (!container.image.includes('pulsecheck:')) return;
    const named = (container.env ?? []).map(({ name }) => name);
    for (const { configMapRef } of container.envFrom ?? []) {
      const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name);
      named.push(...Object.keys(map.data));
    }
    // PULSECHECK_METRICS_LISTEN is tested in monitoring.test.mjs.
    for (const name of named.filter((each) => each !== 'PULSECHECK_METRICS_LISTEN')) assert.ok(new RegExp(`\\b${name}\\b`).test(documented), `${where}: nobody documents ${name}`);
  });
});

test('every Secret key that a container reads exists', () => {
  everyContainer((container, where, pod, objects) => {
    for (const { name, valueFrom } of container.env ?? []) {
      const ref = valueFrom?.secretKeyRef;
      if (!ref || ref.optional) continue;
      const secret = objects.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === ref.name);
      if (secret) assert.ok(secret.stringData[ref.key], `${where}: ${name} reads ${ref.key}, which the Secret lacks`);
      else assert.match(ref.name, /^(pulsecheck-secrets|managed-)/, `${where}: nobody makes the Secret ${ref.name}`);
    }
  });
});
