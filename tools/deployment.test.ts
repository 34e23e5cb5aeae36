// What deploy/ promises of the chart, the compose file and the unit of systemd. The chart is looked at as helm rendered
// it; no cluster, no container engine and no systemd runs here: what they would make of the files is not tested.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Ajv } from 'ajv'
import { parse, parseAllDocuments } from 'yaml'
import { openValkeyCounters } from '../src/adapters/valkey/open-valkey-counters.ts'
import { loadConfig } from '../src/config/load.ts'
import { startValkey } from '../test/fixtures/valkey/valkey-server.ts'
import { projectRoot } from './pinned-node.mjs'
import { chartFolder, headerOf, type Rendering, renderChart, renderings } from './render-chart.ts'
import { findSystemProgram, requireSystemProgram } from './system-packages.ts'

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8')
const scratch = mkdtempSync(join(tmpdir(), 'gatewright-deploy-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

/** Loads a configuration as the product does. @throws on what the schema does not have */
function loadText(text: string, name: string) {
  const file = join(scratch, `${name}.yaml`)
  writeFileSync(file, text)
  return loadConfig({ file, environment: {}, directory: scratch }).config
}

type Parsed = ReturnType<typeof parse>

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Record<string, string>
  readonly spec: Parsed
}

/** What helm made of the chart. */
function readRendering({ file }: Rendering) {
  const text = readFileSync(file, 'utf8')
  // Kubernetes reads YAML 1.1, where 0400 is octal.
  const manifests = parseAllDocuments(text, { version: '1.1' })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null)
  const all = (kind: string) => manifests.filter((manifest) => manifest.kind === kind)
  const one = (kind: string): Manifest => {
    const [found] = all(kind)
    assert.ok(found !== undefined, `no ${kind}`)
    return found
  }
  const pod: Parsed = one('StatefulSet').spec.template.spec
  return { text, all, one, pod, containers: [...pod.containers, ...pod.initContainers] }
}

for (const rendering of renderings) {
  const { text, all, one, pod, containers } = readRendering(rendering)

  describe(`the chart with ${rendering.name} values`, () => {
    test('was rendered from the chart as it is', (t) => {
      assert.ok(
        text.startsWith(headerOf(rendering)),
        'run node tools/render-chart.ts where helm is installed',
      )
      const helm = findSystemProgram('helm')
      if (helm === undefined)
        return t.skip('helm is not installed here: the rendering of before is looked at')
      assert.equal(text, headerOf(rendering) + renderChart(helm, rendering))
    })

    test('gives no container any right, nor a file system to write', () => {
      assert.equal(pod.automountServiceAccountToken, false)
      assert.equal(pod.securityContext.runAsNonRoot, true)
      assert.equal(pod.securityContext.fsGroupChangePolicy, 'OnRootMismatch')
      for (const container of containers) {
        assert.deepEqual(container.securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          privileged: false,
          runAsNonRoot: true,
          runAsUser: 10001,
          runAsGroup: 10001,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        })
        assert.ok(container.resources.requests.cpu && container.resources.requests.memory)
        assert.ok(container.resources.limits.memory)
      }
      for (const key of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'])
        assert.equal(pod[key], undefined)
      assert.ok(pod.volumes.every((volume: object) => !('hostPath' in volume)))
    })

    test('carries no secret: all come as files of one that exists', () => {
      assert.deepEqual(all('Secret'), [])
      for (const container of containers)
        for (const { name, valueFrom } of container.env) {
          assert.doesNotMatch(name, /KEY|TOKEN|SECRET|PASSWORD/i)
          assert.equal(valueFrom, undefined)
        }
      const secrets = pod.volumes.find((volume: { name: string }) => volume.name === 'secrets')
      assert.match(secrets.secret.secretName, /^gatewright/)
      assert.equal(secrets.secret.defaultMode, 0o400)
    })
  })

  describe(`a release of the chart with ${rendering.name} values`, () => {
    test('asks the data plane for its health, and waits for running exchanges', () => {
      const [container] = pod.containers
      const gateway = container.ports.find((port: { name: string }) => port.name === 'gateway')
      assert.equal(gateway.containerPort, 8443)
      for (const [probe, path] of [
        ['startupProbe', '/readyz'],
        ['readinessProbe', '/readyz'],
        ['livenessProbe', '/livez'],
      ]) {
        assert.deepEqual(container[probe ?? ''].httpGet, { path, port: 'gateway', scheme: 'HTTPS' })
      }
      const { shutdown } = loadText('{}', 'defaults')
      const pauseSeconds = Number(container.lifecycle.preStop.exec.command[1])
      assert.ok(pod.terminationGracePeriodSeconds * 1000 > shutdown.drainTimeoutMs + pauseSeconds * 1000)
    })

    test('survives the loss of a node or a zone', () => {
      assert.equal(one('PodDisruptionBudget').spec['maxUnavailable'], 1)
      const spread = pod.topologySpreadConstraints.map(
        ({ topologyKey }: { topologyKey: string }) => topologyKey,
      )
      assert.deepEqual(spread.toSorted(), ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'])
      const [scaler] = all('HorizontalPodAutoscaler')
      const { replicas } = one('StatefulSet').spec
      if (scaler === undefined) assert.ok(replicas >= 2)
      else {
        assert.equal(replicas, undefined, 'the number is the scaler’s')
        assert.ok(scaler.spec['minReplicas'] >= 2 && scaler.spec['maxReplicas'] > scaler.spec['minReplicas'])
      }
    })

    test('closes the network but for what is needed', () => {
      const { policyTypes, ingress, egress } = one('NetworkPolicy').spec
      assert.deepEqual(policyTypes, ['Ingress', 'Egress'])
      for (const { ports, from, to } of [...ingress, ...egress]) {
        assert.ok(ports.length > 0)
        assert.ok((from ?? to).length > 0, 'an empty list lets all in')
      }
      const world = egress.flatMap(
        ({ to }: { to: { ipBlock?: { cidr: string; except?: string[] } }[] }) => to,
      )
      const open = world.find(({ ipBlock }: { ipBlock?: { cidr: string } }) => ipBlock?.cidr === '0.0.0.0/0')
      assert.ok(
        open.ipBlock.except.includes('169.254.0.0/16'),
        'the metadata service of clouds stays out of reach',
      )
      for (const service of all('Service').filter(({ metadata }) => metadata.name.endsWith('-control')))
        assert.equal(service.spec['type'], 'ClusterIP')
    })

    test('writes a configuration that the product takes', () => {
      const config = loadText(one('ConfigMap').data?.['gatewright.yaml'] ?? '', rendering.name)
      assert.equal(config.gateway.https.host, '0.0.0.0')
      assert.equal(config.gateway.http.host, '127.0.0.1')
      assert.equal(config.control.http.enabled, false)
      assert.equal(config.storage.kind, 'postgres')
      assert.equal(config.gateway.workers, Number(pod.containers[0].resources.requests.cpu))
    })
  })
}

describe('the values of the chart', () => {
  const validate = new Ajv({ strict: false }).compile(
    JSON.parse(readFileSync(join(chartFolder, 'values.schema.json'), 'utf8')),
  )
  const defaults = parse(readFileSync(join(chartFolder, 'values.yaml'), 'utf8'))

  test('are refused without the name of a Secret, or with what the chart does not know', () => {
    assert.equal(validate(defaults), false)
    assert.equal(validate({ ...defaults, existingSecret: 'gatewright' }), true)
    assert.equal(validate({ ...defaults, existingSecret: 'gatewright', apiKey: 'sk-1' }), false)
  })
})

test('the root key comes to each node as a file of its owner’s, and no other key is put over it', () => {
  const [rendering] = renderings
  assert.ok(rendering !== undefined)
  const [init] = readRendering(rendering).pod.initContainers
  const [secrets, data] = [join(scratch, 'secrets'), join(scratch, 'node', 'data')]
  mkdirSync(secrets)
  const script = String(init.args[0]).replaceAll('/run/secrets/gatewright', secrets)
  const env = { PATH: '/usr/bin:/bin', GATEWRIGHT_DATA_DIR: data }
  const run = () => spawnSync('/bin/sh', ['-ceu', script], { env }).status
  writeFileSync(join(secrets, 'root.key'), 'k'.repeat(32))
  assert.deepEqual([run(), run()], [0, 0])
  assert.equal(statSync(join(data, 'root.key')).mode & 0o777, 0o600)
  assert.equal(statSync(data).mode & 0o777, 0o700)
  writeFileSync(join(secrets, 'root.key'), 'x'.repeat(32))
  assert.equal(run(), 1)
  assert.equal(readFileSync(join(data, 'root.key'), 'utf8'), 'k'.repeat(32))
})

const { services, secrets, networks } = parse(read('deploy/compose/compose.yaml'))
const folder = join(scratch, 'compose')
const secretFile = (name: string): string => join(folder, 'secrets', name)

function makeSecrets(): void {
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(projectRoot, 'deploy/compose/make-secrets.sh'), join(folder, 'make-secrets.sh'))
  assert.equal(spawnSync('/bin/sh', [join(folder, 'make-secrets.sh')]).status, 0)
}

describe('the compose file', () => {
  for (const [name, service] of Object.entries<Record<string, unknown>>(services)) {
    test(`${name} runs without rights, without root and on a read-only file system`, () => {
      assert.equal(service['read_only'], true)
      assert.match(String(service['user']), /^[1-9]\d+:[1-9]\d+$/)
      assert.deepEqual(service['cap_drop'], ['ALL'])
      assert.deepEqual(service['security_opt'], ['no-new-privileges:true'])
      assert.ok(service['mem_limit'] && service['pids_limit'])
      assert.ok(service['healthcheck'] !== undefined || name === 'gatewright', 'the image of ours has one')
      for (const [key, value] of Object.entries(service['environment'] ?? {}))
        if (/PASSWORD|KEY|TOKEN|SECRET/.test(key)) assert.ok(value === null || key.endsWith('_FILE'), key)
    })
  }

  test('opens the data plane alone, and keeps database and counters to itself', () => {
    assert.deepEqual(services.gatewright.ports, ['8443:8443', '127.0.0.1:9443:9443'])
    assert.equal(services.database.network_mode, 'none')
    assert.deepEqual([services.database.ports, services.counters.ports], [undefined, undefined])
    assert.equal(networks.counters.internal, true)
    for (const other of ['database', 'counters'])
      assert.equal(services.gatewright.depends_on[other].condition, 'service_healthy')
  })
})

describe('the secrets of the compose file', () => {
  test('are files that are written once, for their owner’s eyes', () => {
    makeSecrets()
    const written = readdirSync(join(folder, 'secrets')).toSorted()
    assert.deepEqual(written, Object.keys(secrets).toSorted())
    assert.deepEqual(
      written.map((name) => secrets[name].file),
      written.map((name) => `./secrets/${name}`),
    )
    assert.equal(statSync(join(folder, 'secrets')).mode & 0o777, 0o700)
    const before = written.map((name) => readFileSync(secretFile(name), 'utf8'))
    makeSecrets()
    assert.deepEqual(
      written.map((name) => readFileSync(secretFile(name), 'utf8')),
      before,
    )
    assert.ok(before.every((text) => text.length > 32))
  })

  test('give the counters’ user no more than the gateway needs', async () => {
    makeSecrets()
    const server = await startValkey(['--aclfile', secretFile('counters-acl')])
    const url = new URL(readFileSync(secretFile('counters-url'), 'utf8').trim())
    url.host = `127.0.0.1:${server.port}`
    const connected = Promise.withResolvers<void>()
    const counters = openValkeyCounters({
      url: url.href,
      prefix: loadText('{}', 'defaults').counters.prefix,
      cluster: false,
      extraCertificates: [],
      commandTimeoutMs: 1000,
      node: 'n',
      run: 'r',
      ttlMs: 1000,
      onState: (up) => (up ? connected.resolve() : undefined),
    })
    await connected.promise
    const terms = { kind: 'rolling', amount: 10, windowMs: 1000, burst: 10 } as const
    const outcome = await counters.take([{ key: '{a}k', terms, units: 1 }])
    await counters.close()
    await server.stop()
    assert.ok(outcome.taken)
  })

  test('are the ones that its configuration names', () => {
    const config = loadText(read('deploy/compose/gatewright.yaml'), 'compose')
    const named = Object.keys(secrets).map((name) => `file:/run/secrets/${name}`)
    assert.ok(named.includes(config.storage.url ?? '') && named.includes(config.counters.url ?? ''))
  })
})

describe('the unit of systemd', () => {
  const unit = read('deploy/systemd/gatewright.service')
  const directory = join(scratch, 'systemd')
  const file = join(directory, 'gatewright.service')
  mkdirSync(directory)
  // What is installed elsewhere stands here for this machine's own.
  writeFileSync(
    file,
    unit
      .replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`)
      .replace(/^WorkingDirectory=.*/m, 'WorkingDirectory=/tmp'),
  )
  const analyze = (...given: string[]) =>
    spawnSync(requireSystemProgram('systemd-analyze'), [...given, file], { encoding: 'utf8' })

  test('is one that systemd understands whole', () => {
    const { status, stdout, stderr } = analyze('verify', '--man=no')
    assert.deepEqual([status, stdout, stderr], [0, '', ''])
  })

  test('is exposed as little as the engine allows, by systemd’s own measure', () => {
    const { status, stdout } = analyze('security', '--offline=true', '--threshold=15', '--no-pager')
    assert.equal(status, 0, stdout.slice(-200))
  })

  test('waits for the drain, and names its secrets as files', () => {
    const { shutdown } = loadText('{}', 'defaults')
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) * 1000 > shutdown.drainTimeoutMs)
    assert.doesNotMatch(unit, /^Environment=.*(KEY|TOKEN|SECRET|PASSWORD)/m)
  })
})
