// What deploy/compose/monitoring.yaml promises, by its structure: no container engine runs here.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
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
import { parse } from 'yaml'
import { loadConfig } from '../src/config/load.ts'
import { projectRoot } from './pinned-node.mjs'

interface Service {
  readonly image: string
  readonly user: string
  readonly read_only?: boolean
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly networks: readonly string[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: object
  readonly restart?: string
  readonly entrypoint?: readonly string[]
  readonly mem_limit?: string
  readonly pids_limit?: number
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}
interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

const folder = join(projectRoot, 'deploy/compose')
const read = (name: string): ComposeFile => parse(readFileSync(join(folder, name), 'utf8')) as ComposeFile
const { services: all, networks, volumes, secrets } = read('monitoring.yaml')
const base = read('compose.yaml')
/** What is laid over the gateway of the other file, and what stands by itself. */
const { gatewright: overlay, ...services } = all
const loadFile = (name: string) =>
  loadConfig({ file: join(folder, name), environment: {}, directory: folder }).config
/** They write into their own folders at the start. */
const writers = new Set(['elasticsearch', 'kibana'])
/** It ends when its work is done. */
const passing = new Set(['elastic-setup'])

describe('the compose file of monitoring', () => {
  for (const [name, service] of Object.entries(services)) {
    test(`${name} is one release, without rights and without root`, () => {
      assert.match(service.image, /:v?\d+\.\d+\.\d+$/)
      assert.match(service.user, /^[1-9]\d+:[1-9]\d+$/)
      assert.deepEqual(service.cap_drop, ['ALL'])
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'])
      assert.equal(service.read_only ?? false, !writers.has(name))
      assert.ok(service.mem_limit && service.pids_limit)
      assert.equal(service.healthcheck === undefined, passing.has(name))
      assert.equal(service.restart, passing.has(name) ? 'no' : 'unless-stopped')
      for (const [key, value] of Object.entries(service.environment ?? {}))
        if (/PASSWORD|KEY|TOKEN|SECRET/.test(key)) assert.ok(value.startsWith('/run/secrets/'), key)
    })

    test(`${name} names networks, volumes, files and services that are there`, () => {
      const known = { ...base.networks, ...networks }
      for (const network of service.networks) assert.ok(network in known, network)
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':')
        if (source.startsWith('.')) assert.ok(statSync(join(folder, source)), source)
        else assert.ok(source in volumes, source)
      }
      for (const secret of service.secrets ?? []) assert.ok(secret in secrets, secret)
      for (const other of Object.keys(service.depends_on ?? {})) assert.ok(other in services, other)
    })
  }

  test('shows people Grafana and Kibana, on this machine alone, and nothing else', () => {
    const open = Object.values(services).flatMap(({ ports = [] }) => ports)
    assert.deepEqual(open, ['127.0.0.1:3000:3000', '127.0.0.1:5601:5601'])
    assert.equal(networks['monitoring']?.internal, true)
    assert.deepEqual(services['elasticsearch']?.networks, ['monitoring'])
  })

  test('sends what happens to Elasticsearch, once the templates are there: the gateway as it is, and a sink', () => {
    assert.deepEqual(overlay?.depends_on, {
      'elastic-setup': { condition: 'service_completed_successfully' },
    })
    assert.deepEqual(overlay?.volumes, ['./gatewright-monitored.yaml:/etc/gatewright/gatewright.yaml:ro'])
    const { sinks, ...rest } = loadFile('gatewright-monitored.yaml')
    const { sinks: none, ...plain } = loadFile('gatewright.yaml')
    assert.deepEqual(rest, plain)
    assert.deepEqual(none, [])
    const [sink] = sinks
    assert.equal(sinks.length, 1)
    assert.equal(new URL(sink?.elastic?.url ?? '').hostname, 'elasticsearch')
    assert.deepEqual(overlay?.secrets, [sink?.elastic?.secret.replace('file:/run/secrets/', '')])
    assert.ok(overlay?.networks.includes(services['elasticsearch']?.networks[0] ?? ''))
    const script = services['elastic-setup']?.entrypoint?.[1] ?? ''
    assert.ok(existsSync(join(projectRoot, 'deploy', script)))
  })

  test('lets Prometheus reach the gateway, with the token and the authority that its configuration names', () => {
    const { scrape_configs: jobs } = parse(
      readFileSync(join(projectRoot, 'deploy/prometheus/prometheus.yml'), 'utf8'),
    ) as {
      scrape_configs: { authorization: { credentials_file: string }; tls_config: { ca_file: string } }[]
    }
    const [job] = jobs
    const named = [job?.authorization.credentials_file, job?.tls_config.ca_file]
    assert.deepEqual(
      named,
      services['prometheus']?.secrets?.map((name) => `/run/secrets/${name}`),
    )
    assert.ok(
      services['prometheus']?.networks.some((name) => base.services['gatewright']?.networks.includes(name)),
    )
  })
})

test('the script writes each file once, for its owner’s eyes, and none where the gateway does not answer', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'gatewright-monitoring-'))
  after(() => rmSync(scratch, { recursive: true, force: true }))
  copyFileSync(join(folder, 'prepare-monitoring.sh'), join(scratch, 'prepare-monitoring.sh'))
  const bin = join(scratch, 'bin')
  mkdirSync(bin)
  const run = (docker: string): number | null => {
    writeFileSync(join(bin, 'docker'), `#!/bin/sh\n${docker}\n`, { mode: 0o755 })
    return spawnSync('/bin/sh', [join(scratch, 'prepare-monitoring.sh')], {
      env: { PATH: `${bin}:/usr/bin:/bin` },
    }).status
  }
  assert.notEqual(run('exit 1'), 0)
  const written = (): string[] =>
    readdirSync(join(scratch, 'secrets'))
      .filter((name) => !name.endsWith('.new'))
      .toSorted()
  assert.deepEqual(written(), ['elasticsearch-credential', 'grafana-password'])
  const answers =
    'case "$*" in *tokens*) echo "Token: gwa_abc_def123" ;; *) echo "-----BEGIN CERTIFICATE-----" ;; esac'
  assert.equal(run(answers), 0)
  assert.deepEqual(
    written(),
    Object.values(secrets)
      .map(({ file }) => file.replace('./secrets/', ''))
      .toSorted(),
  )
  assert.equal(readFileSync(join(scratch, 'secrets/prometheus-token'), 'utf8'), 'gwa_abc_def123')
  assert.equal(statSync(join(scratch, 'secrets')).mode & 0o777, 0o700)
  const before = written().map((name) => readFileSync(join(scratch, 'secrets', name), 'utf8'))
  assert.equal(run('echo other'), 0)
  assert.deepEqual(
    written().map((name) => readFileSync(join(scratch, 'secrets', name), 'utf8')),
    before,
  )
})
