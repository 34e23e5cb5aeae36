/**
 * `gatewright doctor`: from the outside in, what works and what does not. Every check ends with a verdict and, where
 * it is not good, with what to do; one that cannot be made is said to be unknown, never good.
 */
import { statfs } from 'node:fs/promises'
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { trustLocalAuthority } from '../connection.ts'
import { defineCommand, runs } from '../define-command.ts'
import { type CliIo, type Session, take } from '../session.ts'
import { listDeployments } from './providers.ts'

type Status = components['schemas']['Status']

export interface Check {
  readonly name: string
  readonly verdict: 'good' | 'warning' | 'bad' | 'unknown'
  readonly detail: string
}

const day = 86_400_000
const gibibyte = 2 ** 30
const probeTimeoutMs = 5000

async function probe(url: string): Promise<Check['verdict']> {
  const reply = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(probeTimeoutMs) }).catch(
    () => null,
  )
  return reply?.ok === true ? 'good' : 'bad'
}

async function checkDataPlane(status: Status): Promise<Check[]> {
  const checks: Check[] = []
  for (const { plane, url } of status.listeners) {
    if (plane !== 'data') continue
    for (const path of ['/livez', '/readyz']) {
      const verdict = await probe(url + path)
      const detail = verdict === 'good' ? 'answers' : 'does not answer: see the log of the gateway'
      checks.push({ name: `data plane ${url}${path}`, verdict, detail })
    }
  }
  return checks
}

function checkWorkers({ workers, snapshot }: Status): Check[] {
  const all = workers.running >= workers.configured
  return [
    {
      name: 'workers',
      verdict: all ? 'good' : 'bad',
      detail: `${workers.running} of ${workers.configured} run, ${workers.restarts} replaced`,
    },
    {
      name: 'configuration',
      verdict: snapshot.problem === null ? 'good' : 'bad',
      detail:
        snapshot.problem === null
          ? `version ${snapshot.version} is in force`
          : `refused: ${snapshot.problem}`,
    },
  ]
}

function checkCertificate(expiresAt: number | null, now: number): Check {
  const name = 'certificate'
  if (expiresAt === null) return { name, verdict: 'unknown', detail: 'no HTTPS listener is open' }
  const days = Math.floor((expiresAt - now) / day)
  if (days < 0) return { name, verdict: 'bad', detail: 'has expired: replace it' }
  return { name, verdict: days < 14 ? 'warning' : 'good', detail: `is valid for ${days} more days` }
}

/** Certificates, key expiry and limits go by the clock: both machines must agree. */
async function checkClock(session: Session): Promise<Check> {
  const name = 'clock'
  const { response } = await session.client.GET('/api/v1/status')
  const date = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(date)) return { name, verdict: 'unknown', detail: 'the control plane tells no time' }
  const seconds = Math.round(Math.abs(date - session.io.now()) / 1000)
  const verdict = seconds > 60 ? 'bad' : seconds > 5 ? 'warning' : 'good'
  return { name, verdict, detail: `${seconds} s apart from this machine` }
}

async function checkDisk(status: Status, dataDir: string): Promise<Check> {
  const name = 'disk'
  const here = await statfs(dataDir).catch(() => null)
  const free = status.diskFreeBytes ?? (here === null ? null : here.bavail * here.bsize)
  if (free === null) return { name, verdict: 'unknown', detail: 'free space cannot be read' }
  const verdict = free < gibibyte / 4 ? 'bad' : free < gibibyte ? 'warning' : 'good'
  return { name, verdict, detail: `${(free / gibibyte).toFixed(1)} GiB free where the data directory lies` }
}

const trialsMax = 50

async function checkDeployments(session: Session): Promise<Check[]> {
  const organization = await session.organization()
  const deployments = (await listDeployments(session, organization)).filter(
    (deployment) => deployment.enabled,
  )
  const checks: Check[] = []
  for (const { id, slug } of deployments.slice(0, trialsMax)) {
    const params = { path: { organization, id } }
    const trial = await take(
      session.client.POST('/api/v1/organizations/{organization}/deployments/{id}/test', { params }),
    )
    checks.push({ name: `deployment ${slug}`, verdict: trial.ok ? 'good' : 'bad', detail: trial.detail })
  }
  if (deployments.length > trialsMax) {
    checks.push({
      name: 'deployments',
      verdict: 'unknown',
      detail: `${deployments.length - trialsMax} more were not tried`,
    })
  }
  return checks
}

/** A check that may itself fail says so instead of ending the others. */
async function attempt(name: string, work: () => Promise<Check | Check[]>): Promise<Check[]> {
  try {
    return [await work()].flat()
  } catch (error) {
    const detail = error instanceof CliFailure ? error.message : 'the check itself failed'
    return [{ name, verdict: 'unknown', detail }]
  }
}

async function examine(session: Session): Promise<Check[]> {
  const status = await take(session.client.GET('/api/v1/status'))
  const { url, dataDir } = session.connection
  trustLocalAuthority(dataDir)
  return [
    { name: `control plane ${url}`, verdict: 'good', detail: `Gatewright ${status.version} answers` },
    ...checkWorkers(status),
    ...(await checkDataPlane(status)),
    ...(await attempt('deployments', () => checkDeployments(session))),
    checkCertificate(status.certificateExpiresAt, session.io.now()),
    ...(await attempt('clock', () => checkClock(session))),
    ...(await attempt('disk', () => checkDisk(status, dataDir))),
  ]
}

const marks: Readonly<Record<Check['verdict'], string>> = {
  good: 'ok  ',
  warning: 'warn',
  bad: 'BAD ',
  unknown: '?   ',
}

export function addDoctor(program: Command, io: CliIo): void {
  const command = defineCommand(program, {
    name: 'doctor',
    summary: 'Find out what is wrong',
    examples: [
      [
        'gatewright doctor',
        'Control plane, data plane, deployments, certificate, clock, disk; exit code 1 where one is bad',
      ],
    ],
  })
  runs<object>(command, io, async ({ session }) => {
    const checks = await examine(session)
    session.show(checks, () =>
      checks.map(({ name, verdict, detail }) => `${marks[verdict]}  ${name}: ${detail}\n`).join(''),
    )
    const bad = checks.filter(({ verdict }) => verdict === 'bad').length
    if (bad > 0) throw new CliFailure('failed', `${bad} of ${checks.length} checks are bad.`)
  })
}
