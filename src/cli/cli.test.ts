import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ensureLocalCertificate } from '../adapters/local-authority/local-authority.ts'
import { recordUsage } from '../admin/harness/record-usage.ts'
import { type StartedAdmin, startAdmin, startedAt } from '../admin/harness/start-admin.ts'
import { issueAdminToken } from '../admin/issue-admin-token.ts'
import { createProgram, runCli } from './create-program.ts'
import { examplesOf } from './define-command.ts'
import type { CliIo } from './session.ts'

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

type RunCommand = (line: string, extra?: Partial<CliIo>) => Promise<Run>

/** Words of a command line; single quotes keep words together. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
}

interface StartedCli {
  readonly run: RunCommand
  readonly admin: StartedAdmin
  readonly directory: string
  readonly url: string
  readonly routing: RequestListener
}

/** The command line against a real control plane on a free port, with the token in a data directory. */
async function startCli(t: TestContext): Promise<StartedCli> {
  const admin = await startAdmin()
  const url = await admin.app.listen({ host: '127.0.0.1', port: 0 })
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-cli-'))
  t.after(async () => {
    rmSync(directory, { recursive: true })
    await admin.stop()
  })
  const order = {
    name: 'local',
    scopes: ['admin'],
    organizationId: null,
    expiresAt: null,
    managedBy: 'setup',
  } as const
  const { secret } = await issueAdminToken(admin.deps, order)
  mkdirSync(join(directory, 'data'))
  writeFileSync(join(directory, 'data', 'admin-token'), `${secret}\n`, { mode: 0o600 })
  const run: RunCommand = async (line, extra = {}) => {
    let out = ''
    let err = ''
    const io: CliIo = {
      environment: { GATEWRIGHT_URL: url },
      directory,
      out(text) {
        out += text
      },
      err(text) {
        err += text
      },
      readInput: () => Promise.resolve(''),
      now: () => startedAt,
      ...extra,
    }
    return { code: await runCli(words(line), io), out, err }
  }
  return { run, admin, directory, url, routing: admin.app.routing }
}

async function succeed(run: RunCommand, lines: readonly string[]): Promise<string[]> {
  const outs: string[] = []
  for (const line of lines) {
    const { code, out, err } = await run(line)
    assert.equal(code, 0, `${line}: ${err}`)
    outs.push(out)
  }
  return outs
}

test('from an empty store to a key that is rotated and revoked, each step by one command', async (t) => {
  const { run } = await startCli(t)
  await succeed(run, ["orgs add acme --name 'Acme Corp'", 'products add everything'])
  await succeed(run, ['apps add shop --product everything'])
  const [created = ''] = await succeed(run, ['keys create --app shop --name web --expires 30d --json'])
  const made = JSON.parse(created) as { key: { keyId: string }; secret: string }
  assert.match(made.secret, /^gwr_live_/)
  const [rotated = ''] = await succeed(run, [`keys rotate ${made.key.keyId} --overlap 1h`])
  assert.match(rotated, new RegExp(`gwr_live_${made.key.keyId}_`))
  assert.ok(!rotated.includes(made.secret))
  const [list = ''] = await succeed(run, ['keys list --app shop'])
  assert.match(
    list,
    new RegExp(`${made.key.keyId} +web +shop +live +active +all subscribed +2026-12-01 12:00`),
  )
  await succeed(run, ['apps unsubscribe shop everything', 'products state everything retired'])
  assert.equal((await run('apps unsubscribe shop everything')).code, 1)
  assert.equal((await run('products state everything gone')).code, 2)
  await succeed(run, [`keys revoke ${made.key.keyId}`])
  const [revoked = ''] = await succeed(run, ['keys list --state revoked --json'])
  assert.equal((JSON.parse(revoked) as object[]).length, 1)
})

test('a key policy is set, shown and lifted; a key that breaks it is refused; a key is held and released', async (t) => {
  const { run } = await startCli(t)
  await succeed(run, ['orgs add acme', 'apps add shop'])
  const [policy = '', none = ''] = await succeed(run, [
    'orgs key-policy acme --max-lifetime 90d --rotate-every 30d --when-overdue refuse',
    'apps key-policy shop',
    'apps key-policy shop --networks required',
  ])
  assert.match(policy, /maxLifetimeDays: 90\nrotateEveryDays: 30\nwhenRotationOverdue: refuse/)
  assert.match(none, /Nothing is asked/)
  const refused = await run('keys create --app shop --name web')
  assert.equal(refused.code, 1)
  assert.match(refused.err, /give it an end, at the latest 90 days/)
  assert.equal((await run('orgs key-policy acme --unused 12h')).code, 2)
  assert.equal((await run('orgs key-policy acme --when-overdue later')).code, 2)
  const [any = ''] = await succeed(run, [
    'apps key-policy shop --networks any',
    'orgs key-policy acme --clear',
  ])
  assert.match(any, /Nothing is asked/)
  const [created = ''] = await succeed(run, ['keys create --app shop --name web --json'])
  const { key } = JSON.parse(created) as { key: { keyId: string } }
  const [, list = ''] = await succeed(run, [`keys quarantine ${key.keyId}`, 'keys list --state quarantined'])
  assert.match(list, new RegExp(`${key.keyId} .*quarantined .*by-hand`))
  await succeed(run, [`keys release ${key.keyId}`])
  assert.equal((await run(`keys release ${key.keyId}`)).code, 1)
})

test('limits and plans are said in words, assigned, explained for a key, and topped up', async (t) => {
  const { run } = await startCli(t)
  await succeed(run, ['orgs add acme', 'products add chat', 'apps add shop --team retail'])
  await succeed(run, [
    "plans add team --limit 'rate: 100 requests per minute, 20 at once' --limit 'budget: $5 per calendar month' --queue --max-wait 30s --priority high",
    'apps subscribe shop chat',
    'plans assign team --app shop --product chat',
    "limits add per-user '20 requests per minute' --per user --team retail",
    "limits add research '$500 per calendar month in Europe/Berlin' --team research --alerts-at 50%,0.9",
  ])
  const [plan = '', plans = '', list = ''] = await succeed(run, [
    'plans show team',
    'plans list',
    'limits list',
  ])
  assert.match(plan, /Queue: +100 exchanges of an application, 30000 ms at most/)
  assert.match(plan, /rate +100 requests per minute, 20 at once +application, product +enforce +queue/)
  assert.match(plans, /team +100 requests per minute, 20 at once; \$5 per calendar month +high +1 +api/)
  assert.match(
    list,
    /research +\$500 per calendar month in Europe\/Berlin +all together +teams research +enforce/,
  )
  const [created = ''] = await succeed(run, ['keys create --app shop --name web --json'])
  const { key } = JSON.parse(created) as { key: { keyId: string } }
  const explain = `limits explain ${key.keyId} --user ada`
  const [explained = ''] = await succeed(run, [explain])
  assert.match(explained, /Team: +retail/)
  assert.match(
    explained,
    /per-user +organization +20 requests per minute +7 +1s +enforce +refuse +3 +0 +1 +ada\n/,
  )
  assert.match(explained, /Does not apply: research \(other teams\)/)
  const counter = /budget +plan team, product chat .* (app_\w+\|prd_\w+)\n/.exec(explained)?.[1]
  assert.ok(counter !== undefined, explained)
  await succeed(run, [`limits top-up budget '$2.50' --plan team --counter '${counter}' --note extra`])
  const [raised = '', topUps = ''] = await succeed(run, [explain, 'limits top-ups'])
  assert.match(raised, /budget +plan team, product chat +\$7\.5 per calendar month/)
  const id = /(tup_\w+) +pln_\w+\/budget +app_.* +\$2\.5 .* extra\n/.exec(topUps)?.[1]
  await succeed(run, [
    `limits take-back ${id}`,
    "limits set per-user '40 requests per minute'",
    'limits remove research',
    'plans assign none --app shop --product chat',
    'plans remove team',
  ])
  const wrong = await run("limits add more 'a lot per minute'")
  assert.deepEqual([wrong.code, /is not a limit\./.test(wrong.err)], [2, true])
  assert.equal((await run("limits set per-user '$4 per minute'")).code, 2)
  const refused = await run("limits add more '5 requests per fortnight'")
  assert.match(refused.err, /field window is not valid: must be second, minute/)
})

test('a provider key is read from a place, sealed, and never printed or taken from the arguments', async (t) => {
  const { run, url } = await startCli(t)
  await succeed(run, ['orgs add acme'])
  const environment = { GATEWRIGHT_URL: url, SOME_KEY: 'sk-secret-value' }
  const added = await run('providers add openai --api-key env:SOME_KEY', { environment })
  assert.equal(added.code, 0, added.err)
  const [list = '', shown = ''] = await succeed(run, ['providers list', 'providers list --json'])
  assert.match(list, /openai +openai +of the provider +sealed/)
  assert.ok(!(added.out + list + shown).includes('sk-secret-value'))
  const raw = await run('providers add anthropic --api-key sk-raw')
  assert.equal(raw.code, 2)
  assert.ok(!raw.err.includes('sk-raw'))
  assert.match(raw.err, /env:NAME, file:PATH or stdin/)
  const [models = ''] = await succeed(run, [
    'models add gpt-5 --to openai --alias gpt',
    'providers test openai',
  ]).then(() => succeed(run, ['models list']))
  assert.match(models, /gpt-5 +gpt +openai +in service/)
  const [health = ''] = await succeed(run, ['models health gpt-5'])
  assert.match(health, /main +– +out of use: the provider asked for a pause +2 s +2/)
  await succeed(run, ['models add quick --to openai --timeout first-byte=30s --timeout connect=500ms'])
  const [shownModels = ''] = await succeed(run, ['models list --json'])
  assert.match(shownModels, /"timeouts":\s*\{\s*"firstByteMs":\s*30000,\s*"connectMs":\s*500\s*\}/)
  const noSuch = await run('models add slow --to openai --timeout last-byte=30s')
  assert.equal(noSuch.code, 2)
  assert.match(noSuch.err, /no timeout last-byte.*\n.*connect, first-byte, idle, total/)
  const inUse = await run('providers remove openai')
  assert.equal(inUse.code, 1)
  assert.match(inUse.err, /in use/)
})

test('a document is compared, applied, found equal, and exported', async (t) => {
  const { run, directory } = await startCli(t)
  const file = join(directory, 'gatewright.yaml')
  writeFileSync(file, 'organizations: [{ slug: acme }]\napplications: [{ slug: shop }]\n')
  const before = await run('diff -f gatewright.yaml --exit-code')
  assert.equal(before.code, 1)
  assert.equal(before.out, '+ organization acme/acme\n+ application acme/shop\n')
  const [, after = '', exported = ''] = await succeed(run, [
    'apply -f gatewright.yaml',
    'diff -f gatewright.yaml --exit-code',
    'export',
  ])
  assert.equal(after, 'Nothing differs.\n')
  assert.match(exported, /slug: shop/)
  writeFileSync(file, 'organizations: [{ slug: acme, colour: red }]\n')
  const wrong = await run('apply -f gatewright.yaml')
  assert.equal(wrong.code, 1)
  assert.match(wrong.err, /document:1: organizations\[0\]\.colour: is not a known key/)
})

test('usage, status, tokens and set-up link answer for people and for scripts', async (t) => {
  const { run } = await startCli(t)
  await succeed(run, ['orgs add acme'])
  const [usage = '', csv = '', status = '', link = '', records = ''] = await succeed(run, [
    'usage --by app,model --since 7d',
    'usage --csv --since 2d',
    'status',
    'setup-link',
    'usage --records --csv',
  ])
  assert.equal(usage, 'No request in this time.\n')
  assert.match(csv, /^time,model,requests,/)
  assert.match(records, /^id,time,organizationId/)
  assert.match(status, /Workers: +2 of 2 run/)
  assert.match(link, /\/setup#gws_[\w-]{43}\n/)
  const [token = ''] = await succeed(run, ['--org acme tokens create --name look --scopes read --json'])
  const { secret, adminToken } = JSON.parse(token) as { secret: string; adminToken: { id: string } }
  const denied = await run(`--token ${secret} orgs add other`)
  assert.equal(denied.code, 4)
  assert.match(denied.err, /lacks the scope admin/)
  await succeed(run, [`tokens revoke ${adminToken.id}`])
  assert.equal((await run(`--token ${secret} orgs list`)).code, 4)
})

test('sinks say how they do, what they rejected, and take it again', async (t) => {
  const { run } = await startCli(t)
  const [status = '', letters = '', replayed = ''] = await succeed(run, [
    'sinks status',
    'sinks dead-letters siem --limit 5',
    'sinks replay siem',
  ])
  assert.match(status, /siem +webhook +open +12 +3 +1 +4 s +the receiver answered 503/)
  assert.match(letters, /evt_1 +auth\.refused +2026-11-01T12:00:00\.000Z +too large/)
  assert.equal(replayed, '1 delivered, 0 rejected again.\n')
  const unknown = await run('sinks replay nobody')
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /admin\.not-found/)
})

test('usage as CSV has the rows of the table: one per group, by time only where an interval is asked for', async (t) => {
  const { run, admin } = await startCli(t)
  await succeed(run, ['orgs add acme'])
  const { items } = await admin.deps.store.organizations.list()
  const [organization] = items
  assert.ok(organization !== undefined)
  await recordUsage(admin, organization.id)
  const [whole = '', hours = ''] = await succeed(run, [
    'usage --csv --by model',
    'usage --csv --by model --interval hour',
  ])
  const requests = (csv: string) =>
    csv
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(',')[2])
  assert.deepEqual([requests(whole), requests(hours)], [['4'], ['1', '3']])
  const [days = '', line = '', other] = await succeed(run, [
    'usage --csv --by product --since 2d --interval day --resolution day --top 3',
    'usage --by product --interval hour --top 1',
    'usage --by product --interval hour --resolution minute --top 1',
  ])
  assert.deepEqual(
    [days.split('\r\n')[1]?.startsWith('2026-11-01T00:00:00.000Z,prd_1,4,'), requests(days)],
    [true, ['4']],
  )
  assert.match(line, /prd_1 +1 .*\n.*prd_1 +3 /)
  assert.equal(other, line)
  const cut = await run('usage --csv --interval hour --resolution day')
  assert.match(cut.err, /the interval must be a multiple of the resolution/)
})

test('exit codes tell a wrong command line, an absent gateway and a missing token apart', async (t) => {
  const { run, directory } = await startCli(t)
  assert.equal((await run('keys create')).code, 2)
  assert.equal((await run('nonsense')).code, 2)
  assert.equal((await run('keys list --expires')).code, 2)
  assert.equal((await run('--url http://127.0.0.1:1 status')).code, 3)
  assert.equal((await run('status', { directory: join(directory, 'elsewhere') })).code, 4)
})

test('a token never travels unencrypted to another machine, and the local token to none at all', async (t) => {
  const { run } = await startCli(t)
  const plain = await run('--url http://gateway.example status')
  assert.equal(plain.code, 2)
  assert.match(plain.err, /unencrypted/)
})

test('the local authority of the data directory is trusted for https, and without it nothing is', async (t) => {
  const { run, directory, routing } = await startCli(t)
  const dataDirectory = join(directory, 'data')
  const issued = await ensureLocalCertificate(join(dataDirectory, 'tls'), ['localhost'], Date.now())
  const server = createServer({ cert: issued.certificate, key: issued.privateKey }, routing)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const token = readFileSync(join(dataDirectory, 'admin-token'), 'utf8').trim()
  const stranger = await run(`--url ${url} --data-dir elsewhere --token ${token} status`)
  assert.equal(stranger.code, 3)
  assert.match(stranger.err, /certificate of the control plane is not trusted/)
  const known = await run(`--url ${url} status`)
  assert.equal(known.code, 0, known.err)
})

test('several organizations must be told apart', async (t) => {
  const { run } = await startCli(t)
  await succeed(run, ['orgs add acme', 'orgs add globex'])
  const unclear = await run('keys list')
  assert.equal(unclear.code, 2)
  assert.match(unclear.err, /--org: acme, globex/)
  await succeed(run, ['--org globex keys list', 'keys list --org acme'])
})

test('doctor finds a data plane that does not answer', async (t) => {
  const { run } = await startCli(t)
  await succeed(run, ['orgs add acme'])
  const { code, out } = await run('doctor')
  assert.equal(code, 1)
  assert.match(out, /^ok {4}control plane/)
  assert.match(out, /BAD {3}data plane https:\/\/localhost:8443\/livez: does not answer/)
  assert.match(out, /ok {4}certificate: is valid for 90 more days/)
})

test('every command has examples that start with its own name, and answers --help', async (t) => {
  const { run } = await startCli(t)
  const program = createProgram({
    environment: {},
    directory: '.',
    out() {},
    err() {},
    readInput: () => Promise.resolve(''),
    now: () => 0,
  })
  for (const group of program.commands) {
    for (const command of group.commands.length > 0 ? group.commands : [group]) {
      const path = command === group ? group.name() : `${group.name()} ${command.name()}`
      const lines = examplesOf(command).map(([line]) => line)
      assert.ok(lines.length > 0, path)
      for (const line of lines) assert.match(line, new RegExp(`gatewright (--org \\S+ )?${path}`))
      const help = await run(`${path} --help`)
      assert.equal(help.code, 0)
      assert.match(help.out, /Examples:/)
    }
  }
})
