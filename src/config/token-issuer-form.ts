/**
 * How a token issuer is written, in `gatewright.yaml` and in the admin API alike. What JSON Schema cannot say is
 * checked when it is read; each problem names its place.
 */
import { type Static, Type } from 'typebox'
import { dpopModes, type TokenTerms, tokenAlgorithms } from '../domain/token-issuer.ts'
import { parseAddress } from '../identity/index.ts'

const closed = { additionalProperties: false }
const { Optional: optional } = Type

function oneOf<V extends string>(values: readonly V[], description: string) {
  return Type.Enum<V[]>([...values], { type: 'string', description })
}

const url = (description: string) => Type.String({ description, minLength: 8, maxLength: 2048 })
const claim = (description: string) =>
  Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()], { description })
const words = (description: string, maxItems: number) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { description, maxItems, uniqueItems: true })
const reference = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' })

const scopeSchema = Type.Object(
  {
    scope: Type.String({ description: 'A word of `scope` or `scp`.', pattern: '^[!#-\\[\\]-~]{1,200}$' }),
    models: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      description: 'Models or patterns with one trailing `*`.',
      maxItems: 256,
    }),
    operations: Type.Array(Type.String({ pattern: '^(\\*|[a-z]+(?:[.-][a-z]+)*)$', maxLength: 64 }), {
      description: 'Operation ids, or `*`.',
      maxItems: 64,
    }),
  },
  closed,
)

const introspectionSchema = Type.Object(
  {
    endpoint: url('Introspection endpoint.'),
    clientId: Type.String({ description: 'Client id of the gateway there.', minLength: 1, maxLength: 512 }),
    tokenPrefix: optional(
      Type.String({ description: 'What its tokens begin with; empty: whatever is left.', maxLength: 64 }),
    ),
    cacheSeconds: optional(
      Type.Integer({
        description: 'Longest time that a good answer is believed.',
        minimum: 0,
        maximum: 3600,
      }),
    ),
  },
  { ...closed, description: 'Tokens are opaque, and asked about (RFC 7662).' },
)

const applicationSchema = Type.Object(
  {
    slug: optional(reference),
    claim: optional(Type.String({ minLength: 1, maxLength: 200 })),
    values: optional(
      Type.Record(Type.String({ maxLength: 512 }), reference, {
        description: 'Value of the claim → slug; empty: the value is the slug.',
        maxProperties: 1000,
      }),
    ),
  },
  { ...closed, description: 'The application of all tokens (`slug`), or the claim that names it.' },
)

const dpopSchema = Type.Object(
  {
    mode: oneOf(
      dpopModes,
      'off: no proofs are taken; optional: bound tokens need one; required: all tokens must be bound.',
    ),
    nonce: optional(Type.Boolean({ description: 'Proofs must carry a nonce of the gateway.' })),
    origins: optional(words('Origins under which callers reach the gateway.', 16)),
  },
  { ...closed, description: 'Proof of possession (RFC 9449).' },
)

/** Names and terms; the `credential` of an introspection client stands beside them. */
export const givenIssuerFields = {
  name: Type.String({ description: 'Unique in its organization.', pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' }),
  issuer: Type.String({ description: '`iss` of its tokens, exactly.', minLength: 1, maxLength: 2048 }),
  enabled: optional(Type.Boolean({ description: 'False: its tokens are not taken.' })),
  jwksUri: optional(
    Type.Union([url('Where its keys are.'), Type.Null()], { description: 'Null: found by discovery.' }),
  ),
  introspection: optional(Type.Union([introspectionSchema, Type.Null()])),
  audiences: words('One of these must be in `aud`.', 64),
  algorithms: optional(
    Type.Array(oneOf(tokenAlgorithms, 'Asymmetric signature algorithm.'), {
      description: 'Algorithms that its tokens may have.',
      minItems: 1,
      maxItems: tokenAlgorithms.length,
    }),
  ),
  types: optional(words('Values that `typ` may have.', 8)),
  clockSkewSeconds: optional(
    Type.Integer({ description: 'Clocks may differ so much.', minimum: 0, maximum: 60 }),
  ),
  maxLifetimeSeconds: optional(
    Type.Integer({
      description: 'Tokens that end later than this from now are refused.',
      minimum: 60,
      maximum: 31_536_000,
    }),
  ),
  requiredClaims: optional(
    Type.Record(
      Type.String({ maxLength: 200 }),
      Type.Array(Type.String({ maxLength: 512 }), { maxItems: 100 }),
      {
        description: 'Claim → values of which it must have one; an empty list: it must be there.',
        maxProperties: 32,
      },
    ),
  ),
  application: applicationSchema,
  teamClaim: optional(claim('Claim that names the team; null: the team of the application.')),
  userClaim: optional(claim('Claim that names the end user; null: the request may name one.')),
  scopes: optional(
    Type.Array(scopeSchema, {
      description: 'What scopes let a token use; empty: what its application may.',
      maxItems: 100,
    }),
  ),
  dpop: optional(dpopSchema),
  allowPrivateNetwork: optional(
    Type.Boolean({ description: 'Let its hosts resolve to private or loopback addresses, and be http:.' }),
  ),
}

const givenIssuerSchema = Type.Object(givenIssuerFields, closed)
export type GivenIssuer = Static<typeof givenIssuerSchema>

export type ReportIssuerProblem = (path: readonly (string | number)[], reason: string) => void

/** The terms as stored, with what is left out. */
export function readTokenTerms(given: GivenIssuer, report: ReportIssuerProblem): TokenTerms {
  const { introspection = null, jwksUri = null, application, dpop } = given
  const terms: TokenTerms = {
    verification: introspection === null ? 'jwks' : 'introspection',
    jwksUri,
    introspection: introspection === null ? null : { tokenPrefix: '', cacheSeconds: 60, ...introspection },
    audiences: given.audiences,
    algorithms: given.algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA'],
    types: given.types ?? ['at+jwt', 'JWT'],
    clockSkewSeconds: given.clockSkewSeconds ?? 30,
    maxLifetimeSeconds: given.maxLifetimeSeconds ?? 86_400,
    requiredClaims: given.requiredClaims ?? {},
    application: {
      slug: application.slug ?? null,
      claim: application.claim ?? null,
      values: application.values ?? {},
    },
    teamClaim: given.teamClaim ?? null,
    userClaim: given.userClaim ?? null,
    scopes: given.scopes ?? [],
    dpop: { nonce: false, origins: [], ...(dpop ?? { mode: 'off' }) },
    allowPrivateNetwork: given.allowPrivateNetwork ?? false,
  }
  checkSources(given.issuer, terms, report)
  checkMeaning(terms, report)
  return terms
}

function checkSources(issuer: string, terms: TokenTerms, report: ReportIssuerProblem): void {
  const { introspection, jwksUri, allowPrivateNetwork } = terms
  const check = (place: readonly string[], address: string): void => {
    const parsed = parseAddress(address, allowPrivateNetwork)
    if (typeof parsed === 'string') report(place, `is refused: ${parsed}`)
  }
  if (introspection !== null) {
    check(['introspection', 'endpoint'], introspection.endpoint)
    if (jwksUri !== null) report(['jwksUri'], 'has no use beside introspection')
    return
  }
  check(jwksUri === null ? ['issuer'] : ['jwksUri'], jwksUri ?? issuer)
  if (terms.audiences.length === 0) report(['audiences'], 'must name an audience')
}

function checkMeaning({ application, dpop }: TokenTerms, report: ReportIssuerProblem): void {
  if ((application.slug === null) === (application.claim === null))
    report(['application'], 'names either a slug or a claim')
  if (dpop.mode !== 'off' && dpop.origins.length === 0)
    report(['dpop', 'origins'], 'must name the origins under which callers reach the gateway')
  dpop.origins.forEach((origin, index) => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      report(['dpop', 'origins', index], 'is no origin as in https://host[:port]')
  })
}

/** As it is written. */
export function writeTokenTerms({ verification: _kind, application, ...terms }: TokenTerms) {
  const { slug, claim: name, values } = application
  const mapping = slug === null ? { claim: name ?? '', values: { ...values } } : { slug }
  return { ...terms, application: mapping }
}
