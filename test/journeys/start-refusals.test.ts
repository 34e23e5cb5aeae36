/** What a person reads when the product cannot start: what is wrong, where, and what to do. Real processes. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { migrations } from '../../src/adapters/sql-store/migrations.ts'
import { launcherEnvironment, startProduct } from './product.ts'

const entry = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'gatewright-refusals-'))
/** A data directory as a first start leaves it. */
const used = join(root, 'used')
let copies = 0

function copyOfUsed(): string {
  copies += 1
  const copy = join(root, `copy-${copies}`)
  cpSync(used, copy, { recursive: true })
  return copy
}

before(async () => {
  const product = await startProduct()
  await product.stop({ keep: true })
  cpSync(join(product.directory, 'data'), used, { recursive: true })
  rmSync(product.directory, { recursive: true })
})
after(() => rmSync(root, { recursive: true }))

const anyPorts = { http: { port: 0 }, https: { port: 0 } }

interface StartOptions {
  readonly config?: object
  /** Another user to run as. */
  readonly uid?: number
}

/** Start on `dataDir`; resolves with what it says when it ends by itself, and fails when it serves. */
async function refusal(dataDir: string, { config = {}, uid }: StartOptions = {}): Promise<string> {
  copies += 1
  const file = join(root, `config-${copies}.yaml`)
  writeFileSync(file, stringify({ gateway: { ...anyPorts, workers: 1 }, control: anyPorts, ...config }))
  const child = spawn(process.execPath, [entry, '--config', file, '--data-dir', dataDir], {
    cwd: root,
    env: { ...launcherEnvironment(), HOME: root },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8')
  })
  let served = false
  child.stdout.on('data', () => {
    served = true
    child.kill('SIGKILL')
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 90_000)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  assert.ok(!served, 'it serves')
  assert.equal(code, 1, said)
  assert.ok(said.startsWith('Gatewright cannot start.\n'), said)
  assert.doesNotMatch(said, /\n\s+at |node:internal|Error:|undefined/, 'no stack')
  return said
}

function says(said: string, ...parts: readonly string[]): void {
  for (const part of parts) assert.ok(said.includes(part), `${part}\n---\n${said}`)
}

test('a lost root key is named with the remedy, and no new one takes its place', async () => {
  const data = copyOfUsed()
  rmSync(join(data, 'root.key'))
  for (const _ of [1, 2]) {
    says(await refusal(data), `The root key file ${join(data, 'root.key')} is missing.`, 'from your backup')
  }
  cpSync(join(used, 'root.key'), join(data, 'root.key'))
  await assert.rejects(refusal(data), /it serves/)
})

test('a root key that is not the one of the database is named with the remedy, and changes nothing', async () => {
  const data = copyOfUsed()
  const key = join(data, 'root.key')
  writeFileSync(key, Buffer.alloc(32, 1))
  says(await refusal(data), `The root key file ${key} is not the one that sealed`, 'from your backup')
  writeFileSync(key, readFileSync(join(used, 'root.key')))
  await assert.rejects(refusal(data), /it serves/)
})

test('a root key that others may read is refused with the command that mends it', async () => {
  const data = copyOfUsed()
  const key = join(data, 'root.key')
  for (const mode of [0o640, 0o604]) {
    chmodSync(key, mode)
    says(await refusal(data), `may be read by others; run: chmod 600 ${key}`)
  }
})

test('a cut root key is named', async () => {
  const data = copyOfUsed()
  writeFileSync(join(data, 'root.key'), 'short')
  says(await refusal(data), join(data, 'root.key'), 'does not hold 32 bytes', 'from your backup')
})

test('a database of a newer release is refused, names its schema, and stays as it was', async () => {
  const data = copyOfUsed()
  const file = join(data, 'gatewright.db')
  const change = new DatabaseSync(file)
  change.prepare('insert into kysely_migration (name, timestamp) values (?, ?)').run('9999-later', 'x')
  change.close()
  const said = await refusal(data)
  says(said, 'its database has the schema 9999-later, which is newer than this release', 'start the release')
  const look = new DatabaseSync(file, { readOnly: true })
  const { n } = look.prepare('select count(*) as n from kysely_migration').get() ?? {}
  assert.equal(n, Object.keys(migrations).length + 1)
  look.close()
})

test('a file that is no database is named', async () => {
  const data = copyOfUsed()
  rmSync(join(data, 'gatewright.db-wal'), { force: true })
  writeFileSync(join(data, 'gatewright.db'), 'this is no database at all, '.repeat(200))
  says(await refusal(data), `The database in ${data} is not a database`)
})

test('a second process on one data directory is told who holds it, and the first goes on', async () => {
  const product = await startProduct()
  const said = await refusal(join(product.directory, 'data'))
  says(said, `in use by process ${product.process.pid}`)
  assert.equal((await fetch(`${product.http}/readyz`)).status, 200)
  await product.stop()
})

test('a taken port of either plane is named with its address and what to set', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const taken = { http: { port }, https: { port: 0 } }
  const takenTls = { http: { port: 0 }, https: { port } }
  for (const [plane, listeners] of [
    ['gateway', takenTls],
    ['control', taken],
  ] as const) {
    const said = await refusal(copyOfUsed(), {
      config: { [plane]: { ...listeners, ...(plane === 'gateway' ? { workers: 1 } : {}) } },
    })
    says(said, `127.0.0.1:${port} is taken by another program`, `${plane}.http and ${plane}.https`)
  }
  const shared = await refusal(copyOfUsed(), { config: { gateway: { ...taken, workers: 2 } } })
  says(shared, `127.0.0.1:${port} is taken by another program`)
  server.close()
})

test('a provider row that is not valid is refused by --check and by the start, with file, line and reason', () => {
  const file = join(root, 'providers.yaml')
  const row = { id: 'acme', name: 'Acme', baseUrl: 'https://llm.acme.example/v1', dialect: 'openai-chat' }
  const whole = { ...row, auth: { kind: 'bearer' }, paths: { 'chat.completions': '/chat/completions' } }
  const run = (providers: readonly object[], ...own: readonly string[]) => {
    // Written out each by itself, so that every row has lines of its own.
    writeFileSync(file, stringify({ gateway: anyPorts, providers }, { aliasDuplicateObjects: false }))
    const options = ['--config', file, '--data-dir', join(root, 'never-made'), ...own]
    return spawnSync(process.execPath, [entry, ...options], { cwd: root, encoding: 'utf8', timeout: 60_000 })
  }
  for (const own of [['--check'], []]) {
    const { status, stderr } = run(
      [whole, { ...whole, id: 'b', color: 'red' }, whole, { ...row, id: 'c' }],
      ...own,
    )
    assert.equal(status, 2, stderr)
    const at = (index: number) => {
      const lines = readFileSync(file, 'utf8').split('\n')
      return lines.flatMap((line, number) => (/^ {2}- id:/.test(line) ? [number + 1] : []))[index]
    }
    says(
      stderr,
      `${file}:${at(1)}: providers[1]: provider b has the unknown key color`,
      `${file}:${at(2)}: providers[2]: the provider id acme appears twice`,
      `${file}:${at(3)}: providers[3]: `,
    )
  }
  const good = run([whole], '--check')
  assert.deepEqual([good.status, good.stdout], [0, 'The configuration is valid.\n'])
})

test('an address that is not of this machine is named', async () => {
  const config = { control: { http: { port: 0 }, https: { host: '203.0.113.7', port: 0 } } }
  says(await refusal(copyOfUsed(), { config }), '203.0.113.7', 'is not one of this machine')
})

/** Permissions do not bind root: there the product runs as nobody. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {}

test('a data directory that cannot be made or written is named with the remedy', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'gatewright-parent-'))
  chmodSync(parent, 0o555)
  chmodSync(root, 0o755)
  says(
    await refusal(join(parent, 'data'), nobody),
    `${join(parent, 'data')} may not be written by this user`,
    '--data-dir',
  )
  chmodSync(parent, 0o755)
  rmSync(parent, { recursive: true })
})

test('a data directory that is a file, or lies below one, is named', async () => {
  const file = join(root, 'a-file')
  writeFileSync(file, '')
  says(await refusal(file), `${file} is in the way, because it is not a directory`)
  says(await refusal(join(file, 'data')), 'is not a directory')
})

test('a data directory of another user is refused', async () => {
  if (process.getuid?.() !== 0) return
  const data = join(root, 'of-root')
  mkdirSync(data)
  chmodSync(root, 0o755)
  says(await refusal(data, nobody), `${data} belongs to another user`)
})
