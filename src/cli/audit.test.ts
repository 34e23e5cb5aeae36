import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openFileSecretBox } from '../adapters/file-secret-box/open-file-secret-box.ts'
import { newLogDirectory } from '../audit/harness/open-test-log.ts'
import { openAuditDesk } from '../compose/audit-desk.ts'
import { runCli } from './create-program.ts'

const directory = newLogDirectory()
const data = join(directory, 'data')
let vkeys: readonly string[]

async function run(...args: readonly string[]) {
  let out = ''
  let err = ''
  const code = await runCli(args, {
    environment: {},
    directory,
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    readInput: async () => '',
    now: Date.now,
  })
  return { code, out, err }
}

before(async () => {
  mkdirSync(data)
  const desk = openAuditDesk({
    directory: { auditDirectory: join(data, 'audit'), auditKeyDirectory: join(data, 'audit-keys') },
    secretBox: openFileSecretBox({ path: join(data, 'root.key') }),
    now: Date.now,
    deliver: () => Promise.resolve(null),
    log: ({ text }) => assert.fail(text),
  })
  await desk.note('control-plane.start')
  await desk.trail.record({
    id: 'req_1',
    time: 1,
    stream: 'audit',
    action: 'key.create',
    outcome: 'success',
    severity: 'info',
    reason: '',
    organizationId: 'org_1',
    actor: { kind: 'admin', id: 'tok1', applicationId: '', address: '203.0.113.9', endUser: '' },
    resource: { kind: 'key', id: 'key_1' },
    exchange: null,
  })
  await desk.trail.close()
  vkeys = readFileSync(join(data, 'audit-keys', 'verifier-keys'), 'utf8')
    .trim()
    .split('\n')
})
after(() => rmSync(directory, { recursive: true }))

test('audit verify says that the log is whole, and exits with 1 and the places where it is not', async () => {
  const whole = await run('audit', 'verify')
  assert.equal(whole.code, 0, whole.err)
  assert.match(whole.out, /whole: 2 entries of gatewright\.local\/audit\//)
  const copy = join(directory, 'copy')
  cpSync(join(data, 'audit'), copy, { recursive: true })
  const bundle = join(copy, 'tile', 'entries', '000.p', '2')
  writeFileSync(bundle, readFileSync(bundle, 'utf8').replace('key.create', 'key.delete'))
  const keys = vkeys.flatMap((key) => ['--vkey', key])
  const changed = await run('audit', 'verify', '--dir', copy, ...keys)
  assert.equal(changed.code, 1)
  assert.match(changed.out, /tile\/0\/000\.p\/2 differs/)
  assert.match(changed.err, /not what was published/)
  const json = JSON.parse((await run('audit', 'verify', '--dir', copy, ...keys, '--json')).out) as {
    problems: unknown[]
  }
  assert.ok(json.problems.length >= 2)
})

test('audit verify on a copy wants keys, holds it against a checkpoint that was kept, and against the guard', async () => {
  const copy = join(directory, 'later')
  cpSync(join(data, 'audit'), copy, { recursive: true })
  const since = ['--checkpoint', join(copy, 'checkpoint')]
  assert.equal((await run('audit', 'verify', '--dir', copy, '--vkey', vkeys[0] ?? '', ...since)).code, 0)
  const other = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
  assert.equal((await run('audit', 'verify', '--dir', copy, '--vkey', other)).code, 1)
  assert.equal((await run('audit', 'verify', '--dir', copy, '--vkey', 'nonsense')).code, 1)
  assert.equal((await run('audit', 'verify', '--dir', join(directory, 'nowhere'))).code, 1)
  assert.equal((await run('audit', 'verify', '--checkpoint', 'nowhere')).code, 2)
  const guard = join(data, 'audit-keys', 'last-checkpoint')
  const kept = readFileSync(guard)
  writeFileSync(guard, kept.toString('utf8').replace('\n2\n', '\n3\n'))
  assert.equal((await run('audit', 'verify')).code, 1)
  writeFileSync(guard, kept)
})

test('audit prove writes a file that audit check takes without the log, and shows what was done', async () => {
  assert.equal((await run('audit', 'prove', 'req_1')).code, 0)
  const keys = vkeys.flatMap((key) => ['--vkey', key])
  const checked = await run(
    'audit',
    'check',
    'req_1.tlog-proof',
    '--data-dir',
    join(directory, 'none'),
    ...keys,
  )
  assert.equal(checked.code, 0, checked.err)
  assert.match(checked.out, /^Entry 1 of the 2 in gatewright\.local\/audit\/\w+:\n\{"action":"key\.create"/)
  assert.equal((await run('audit', 'prove', '0', '--out', 'first')).code, 0)
  assert.equal((await run('audit', 'check', 'first')).code, 0)
  assert.equal((await run('audit', 'prove', 'req_2')).code, 1)
  writeFileSync(
    join(directory, 'first'),
    readFileSync(join(directory, 'first'), 'utf8').replace('index 0', 'index 1'),
  )
  assert.equal((await run('audit', 'check', 'first')).code, 1)
})

test('audit prove --from shows that the log grew from a checkpoint that was kept, and from no other', async () => {
  const kept = join(directory, 'kept.log')
  const note = readFileSync(join(data, 'audit', 'checkpoint'))
  const line = `<110>1 2026-11-01T12:00:00.000Z host gatewright - audit.checkpoint checkpoint="${note.toString('base64')}"`
  writeFileSync(kept, `{"id":"other"}\n${line}\n${line}\n`)
  const held = await run('audit', 'verify', '--checkpoint', kept)
  assert.equal(held.code, 0, held.err)
  assert.match(held.out, /grew from 2 kept checkpoints/)
  assert.equal((await run('audit', 'prove', '--from', '1', '--out', 'growth')).code, 0)
  const checked = await run('audit', 'check', 'growth', '--checkpoint', kept)
  assert.equal(checked.code, 0, checked.err)
  assert.match(checked.out, /log of 2 entries grew from the 1 with the root .*compare it with yours/)
  const keys = vkeys.flatMap((key) => ['--vkey', key])
  const parts = ['check', 'growth', '--data-dir', join(directory, 'none'), ...keys]
  assert.equal((await run('audit', ...parts)).code, 0)
  const text = readFileSync(join(directory, 'growth'), 'utf8')
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += 101) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(join(directory, 'growth'), changed)
    assert.equal((await run('audit', ...parts)).code, 1, `byte ${at}`)
  }
  assert.equal((await run('audit', 'prove', '--from', '2', '--to', '3')).code, 1)
  assert.equal((await run('audit', 'prove', '--from', 'x')).code, 2)
  assert.equal((await run('audit', 'prove')).code, 2)
  assert.equal((await run('audit', 'prove', '0', '--from', '1')).code, 2)
  // Of no checkpoint's size: nothing is signed, unless somebody kept one.
  assert.equal((await run('audit', 'prove', '--from', '0', '--to', '1', '--out', 'growth')).code, 0)
  assert.equal((await run('audit', 'check', 'growth')).code, 1)
  writeFileSync(kept, 'nothing')
  assert.equal((await run('audit', 'verify', '--checkpoint', kept)).code, 1)
})

test('audit export writes every entry, and opens what is personal for who holds the root key', async () => {
  const lines = (await run('audit', 'export')).out.trim().split('\n')
  assert.equal(lines.length, 2)
  assert.ok(!lines.join('').includes('203.0.113.9'))
  const revealed = (await run('audit', 'export', '--reveal')).out.trim().split('\n')
  const second = JSON.parse(revealed[1] ?? '') as { index: number; id: string; revealed: unknown }
  assert.deepEqual([second.index, second.id], [1, 'req_1'])
  assert.deepEqual(second.revealed, [{ address: '203.0.113.9', endUser: '' }])
  assert.equal((await run('audit', 'export', '--reveal', '--root-key', 'nowhere')).code, 1)
})

test('audit keys shows both verifier keys', async () => {
  const { out } = await run('audit', 'keys')
  assert.deepEqual(out.trim().split('\n'), vkeys)
  assert.equal(vkeys.length, 2)
})
