/** The command on directories and on a real git repository. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { mintAdminToken, mintApiKey } from '../../identity/index.ts'
import { runCli } from '../create-program.ts'

const key = mintApiKey('live').text
const token = mintAdminToken().text
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

function makeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-scan-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

async function scan(directory: string, ...options: string[]) {
  let out = ''
  let err = ''
  const code = await runCli(['scan', '.', ...options], {
    environment: { PATH: process.env['PATH'], HOME: directory },
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
  for (const secret of [key, token]) {
    assert.ok(!(out + err).includes(secret.slice(-50)), 'a secret was written out')
  }
  return { code, out, err }
}

interface Found {
  readonly where: string
  readonly path: string
  readonly line: number
  readonly column: number
  readonly fingerprint: string
  readonly commit?: string
  readonly occurrences: number
}

async function findings(directory: string, ...options: string[]): Promise<readonly Found[]> {
  const { out } = await scan(directory, '--json', ...options)
  return (JSON.parse(out) as { findings: readonly Found[] }).findings
}

test('a directory without secrets ends with 0, one with secrets with 1, naming place and public part alone', async (t) => {
  const directory = makeDirectory(t)
  writeFileSync(join(directory, 'near.txt'), `${key.slice(0, -1)}0 gwr_live_ ${key.slice(0, 60)}`)
  assert.equal((await scan(directory)).code, 0)
  mkdirSync(join(directory, 'deep'))
  writeFileSync(join(directory, 'deep', '.env'), `A=1\n\nKEY="${key}"\nTOKEN=${token}\n`)
  const { code, out, err } = await scan(directory)
  assert.equal(code, 1)
  assert.match(out, new RegExp(`^deep/\\.env:3:6: API key ${key.slice(0, 21)}_…$`, 'm'))
  assert.match(out, new RegExp(`^deep/\\.env:4:7: admin token ${token.slice(0, 16)}_…$`, 'm'))
  assert.match(out, /Scanned 2 files: .* MB\/s/)
  assert.match(err, /2 secrets were found/)
  assert.equal((await scan(join(directory), '--max-bytes', '10')).code, 0)
  assert.equal((await scan(join(directory, 'deep'), '--max-bytes', 'x')).code, 2)
})

test('a key is found across chunks, in UTF-16, beside binary content on demand; links are not followed', async (t) => {
  const directory = makeDirectory(t)
  const elsewhere = makeDirectory(t)
  const pad = '.'.repeat(1_048_576 - 40)
  writeFileSync(join(directory, 'long.txt'), `\n\n${pad}${key}\n`)
  const wide = Buffer.from(`\ufeffline\r\nkey: ${key}`, 'utf16le')
  writeFileSync(join(directory, 'wide.txt'), wide)
  writeFileSync(join(directory, 'wide-be.txt'), Buffer.from(wide).swap16())
  writeFileSync(join(directory, 'image.bin'), Buffer.concat([Buffer.alloc(9), Buffer.from(key)]))
  writeFileSync(join(elsewhere, 'outside.txt'), key)
  symlinkSync(join(elsewhere, 'outside.txt'), join(directory, 'link.txt'))
  symlinkSync(elsewhere, join(directory, 'linked'))
  const places = (list: readonly Found[]) =>
    list.map(({ path, line, column }) => `${path}:${line}:${column}`).sort()
  const text = [`long.txt:3:${pad.length + 1}`, 'wide-be.txt:2:6', 'wide.txt:2:6']
  assert.deepEqual(places(await findings(directory)), text)
  assert.deepEqual(places(await findings(directory, '--binary')), ['image.bin:1:10', ...text])
})

test('SARIF names rule, file, line and fingerprint of each', async (t) => {
  const directory = makeDirectory(t)
  writeFileSync(join(directory, 'a file.txt'), `\n  ${key}`)
  const { code, out } = await scan(directory, '--sarif')
  assert.equal(code, 1)
  const { version, runs } = JSON.parse(out)
  const [result] = runs[0].results
  assert.deepEqual(
    [
      version,
      result.ruleId,
      runs[0].tool.driver.rules.some(({ id }: { id: string }) => id === result.ruleId),
    ],
    ['2.1.0', 'api-key', true],
  )
  const { artifactLocation, region } = result.locations[0].physicalLocation
  assert.deepEqual([artifactLocation.uri, region], ['a%20file.txt', { startLine: 2, startColumn: 3 }])
  assert.equal(result.partialFingerprints.secretSha256, hash(key))
})

function git(directory: string, ...args: string[]): void {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false']
  const { status, stderr } = spawnSync('git', [...identity, ...args], { cwd: directory })
  assert.equal(status, 0, String(stderr))
}

test('what git ignores is left out unless asked for; what was committed once is found in the history', async (t) => {
  const directory = makeDirectory(t)
  git(directory, 'init', '-q')
  writeFileSync(join(directory, '.gitignore'), 'local.env\n')
  writeFileSync(join(directory, 'local.env'), key)
  writeFileSync(join(directory, 'config.yaml'), `a: 1\nkey: ${token}\n`)
  git(directory, 'add', '.')
  git(directory, 'commit', '-qm', 'first')
  writeFileSync(join(directory, 'config.yaml'), `a: 2\nkey: ${token}\n`)
  git(directory, 'commit', '-qam', 'second')
  writeFileSync(join(directory, 'config.yaml'), 'a: 3\n')
  git(directory, 'commit', '-qam', `removed\n\nIt was ${mintApiKey('test').text}`)

  assert.deepEqual(await findings(directory, '--no-history'), [])
  const ignored = await findings(directory, '--no-history', '--ignored')
  assert.deepEqual(
    ignored.map(({ path }) => path),
    ['local.env'],
  )

  const inHistory = await findings(directory)
  const file = inHistory.find(({ fingerprint }) => fingerprint === hash(token))
  assert.deepEqual(
    [file?.where, file?.path, file?.line, file?.column, file?.occurrences],
    ['history', 'config.yaml', 2, 6, 2],
  )
  assert.match(file?.commit ?? '', /^[0-9a-f]{40}$/)
  assert.equal(inHistory.length, 2)
  assert.ok(inHistory.some(({ path, where }) => path === '' && where === 'history'))
  const { out } = await scan(directory)
  assert.match(out, /[0-9a-f]{12}:config\.yaml:2:6: admin token .*, in 2 versions/)

  git(directory, 'gc', '-q')
  assert.equal((await findings(directory)).length, 2)
})
