/** How `leakReports` is written in `gatewright.yaml`: who may report that a key leaked, and how they prove themselves. */
import { createPublicKey } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { parseOrigin } from '../egress/index.ts'
import { Fault } from '../kernel/fault.ts'

export const githubKeysUrl = 'https://api.github.com/meta/public_keys/secret_scanning'

const closed = { additionalProperties: false }

const githubSchema = Type.Object(
  {
    publicKeys: Type.Array(
      Type.Object(
        {
          id: Type.String({ description: '`Github-Public-Key-Identifier`.', minLength: 1, maxLength: 128 }),
          key: Type.String({ description: 'ECDSA P-256 public key, PEM.', maxLength: 2048 }),
        },
        closed,
      ),
      { description: 'Keys that are trusted without asking.', default: [], maxItems: 16 },
    ),
    publicKeysUrl: Type.Union([Type.String({ maxLength: 2048 }), Type.Null()], {
      description: 'Where the list of keys is read from; null: from nowhere.',
      default: githubKeysUrl,
    }),
    allowPrivateNetwork: Type.Boolean({
      description: 'Let that host resolve to private or loopback addresses, and let the URL be http:.',
      default: false,
    }),
  },
  {
    ...closed,
    description: "GitHub's secret scanning, at `POST /leak-reports/github`. Off unless it stands here.",
  },
)

const reporterSchema = Type.Object(
  {
    name: Type.String({
      description: 'Names the reporter in events and at the key.',
      pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
    }),
    secret: Type.Optional(
      Type.String({
        description: 'Shared secret for HMAC-SHA-256, read from `env:NAME` or `file:/absolute/path`.',
        pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$',
      }),
    ),
    publicKey: Type.Optional(
      Type.String({ description: 'Ed25519 public key, PEM, in place of a secret.', maxLength: 2048 }),
    ),
  },
  closed,
)

export const leakReportsFields = {
  github: Type.Optional(githubSchema),
  reporters: Type.Array(reporterSchema, {
    description:
      'Who else may report, at `POST /leak-reports`, each with a secret or a public key of its own.',
    default: [],
    maxItems: 32,
  }),
}

export type LeakReporterConfig = Static<typeof reporterSchema>
export interface LeakReportsConfig {
  readonly github?: Static<typeof githubSchema>
  readonly reporters: readonly LeakReporterConfig[]
}

interface Problem {
  readonly path: string[]
  readonly reason: string
}

/** Name of the curve or algorithm of a public key, or null where the text is none. */
function kindOfKey(pem: string): string | null {
  try {
    const key = createPublicKey(pem)
    return key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? null
  } catch {
    return null
  }
}

function githubProblems(github: NonNullable<LeakReportsConfig['github']>): Problem[] {
  const problems: Problem[] = []
  github.publicKeys.forEach(({ key }, index) => {
    if (kindOfKey(key) === 'prime256v1') return
    const path = ['leakReports', 'github', 'publicKeys', String(index), 'key']
    problems.push({ path, reason: 'is no ECDSA P-256 public key in PEM form' })
  })
  const { publicKeysUrl } = github
  const parsed = publicKeysUrl === null ? null : parseOrigin(publicKeysUrl, github)
  if (parsed instanceof Fault) {
    const path = ['leakReports', 'github', 'publicKeysUrl']
    problems.push({ path, reason: `is refused: ${parsed.publicText}` })
  }
  return problems
}

function reporterProblems(reporters: readonly LeakReporterConfig[]): Problem[] {
  const names = new Set<string>(['github'])
  return reporters.flatMap(({ name, secret, publicKey }, index) => {
    const path = ['leakReports', 'reporters', String(index)]
    const isTaken = names.has(name)
    names.add(name)
    if (isTaken) return [{ path: [...path, 'name'], reason: `the name ${name} is taken` }]
    if ((secret === undefined) === (publicKey === undefined))
      return [{ path, reason: 'takes either a secret or a public key' }]
    if (publicKey !== undefined && kindOfKey(publicKey) !== 'ed25519')
      return [{ path: [...path, 'publicKey'], reason: 'is no Ed25519 public key in PEM form' }]
    return []
  })
}

/** What the schema cannot say. */
export function leakReportProblems({ leakReports }: { readonly leakReports: LeakReportsConfig }): Problem[] {
  const { github, reporters } = leakReports
  return [...(github === undefined ? [] : githubProblems(github)), ...reporterProblems(reporters)]
}
