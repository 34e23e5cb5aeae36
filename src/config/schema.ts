/**
 * The one schema of `gatewright.yaml`. Every option stands here with its description, default and bounds; the
 * JSON Schema for editors and `docs/reference/configuration.md` are generated from it. Unknown keys are refused
 * everywhere.
 */
import { type Static, Type } from 'typebox'
import { dialectIds } from '../domain/dialect-id.ts'
import { forwardedHeaders } from '../domain/snapshot.ts'
import { alertsFields } from './alerts-form.ts'
import { boundsSchema } from './bounds-form.ts'
import { countersFields } from './counters-form.ts'
import { givenGuardFields, givenGuardMatchSchema } from './guard-form.ts'
import { keyPolicySchema } from './key-policy-form.ts'
import { leakReportsFields } from './leak-reports-form.ts'
import {
  givenLimitFields,
  givenLimitSchema,
  givenMatchSchema,
  givenQueueSchema,
  maxLimits,
  planFields,
} from './limit-form.ts'
import { routePolicySchema } from './route-policy-form.ts'
import { closed, count, section } from './schema-parts.ts'
import { eventsFields, sinksSchema } from './sinks-form.ts'
import { storageFields } from './storage-form.ts'
import { givenIssuerFields } from './token-issuer-form.ts'
import { tracingFields } from './tracing-form.ts'

const slug = (description: string) => Type.String({ description, pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' })

const secretReference = Type.String({
  description:
    'Where the secret is read from: `env:NAME` or `file:/absolute/path`. A secret written into this file is refused.',
  pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$',
})

const listenerProperties = (port: number) => ({
  enabled: Type.Boolean({ description: 'Open this listener.', default: true }),
  host: Type.String({
    description: 'Address to bind to. Plain HTTP binds to loopback only.',
    default: '127.0.0.1',
  }),
  port: Type.Integer({
    description: 'Port; 0 takes any free one.',
    default: port,
    minimum: 0,
    maximum: 65535,
  }),
})

const listener = (description: string, port: number) => section(description, listenerProperties(port))

const networks = (description: string) =>
  Type.Array(Type.String(), { description, default: [], maxItems: 256 })

const dataListener = (description: string, port: number) =>
  section(description, {
    ...listenerProperties(port),
    proxyProtocolFrom: networks(
      'Networks (CIDR) of load balancers that begin each connection with a PROXY protocol header (v1 or v2). ' +
        'When any is named, the listener takes no connection from elsewhere and none without the header.',
    ),
  })

const timeoutsSchema = section(
  'Timeouts towards providers. A deployment may set its own, and a model route its own before those.',
  {
    connectMs: count('Connect and TLS handshake.', 10_000, [10]),
    firstByteMs: count('From the end of the request to the head of the response.', 300_000, [10]),
    idleMs: count('Longest silence within a response.', 120_000, [10]),
    totalMs: count('Whole call.', 1_800_000, [10]),
  },
)

const optional = Type.Optional

/** Without defaults: what an object leaves out follows what stands behind it. */
function ownTimeouts(description: string) {
  const timeout = (text: string) =>
    optional(Type.Integer({ description: text, minimum: 10, maximum: 86_400_000 }))
  return optional(
    Type.Object(
      {
        connectMs: timeout('Connect and TLS handshake.'),
        firstByteMs: timeout('From the end of the request to the head of the response.'),
        idleMs: timeout('Longest silence within a response.'),
        totalMs: timeout('Whole call.'),
      },
      { ...closed, description },
    ),
  )
}

const deploymentSchema = Type.Object(
  {
    slug: slug('Name, unique in its organization; callers see it in `x-gatewright-deployment`.'),
    organization: optional(slug('Owning organization; the first one when left out.')),
    provider: Type.String({
      description: 'Id of a provider row (`gatewright providers catalogue` lists them).',
    }),
    baseUrl: optional(Type.String({ description: 'Overrides the base URL of the provider.' })),
    dialect: optional(
      Type.Union(
        dialectIds.map((id) => Type.Literal(id)),
        { description: 'Overrides the dialect of the provider.' },
      ),
    ),
    region: optional(Type.String({ description: 'Region; fills `{region}` and is kept for residency.' })),
    settings: optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Values for the placeholders of the provider row.',
      }),
    ),
    credential: optional(
      Type.Record(Type.String(), secretReference, { description: 'Secret fields, for example `apiKey`.' }),
    ),
    allowPrivateNetwork: optional(
      Type.Boolean({ description: 'Let the host resolve to private or loopback addresses.' }),
    ),
    enabled: optional(Type.Boolean({ description: 'False takes it out of service.' })),
    timeouts: ownTimeouts(
      'Timeouts of this deployment; what is left out follows `timeouts` of the configuration.',
    ),
  },
  closed,
)

const targetSchema = Type.Object(
  {
    deployment: slug('Slug of a deployment.'),
    model: optional(
      Type.String({ description: 'Model name at the provider; the asked name when left out.' }),
    ),
    priority: optional(
      Type.Integer({ description: 'Lower numbers are tried first.', minimum: 0, maximum: 100, default: 0 }),
    ),
    weight: optional(
      Type.Integer({
        description: 'Share among targets of one priority.',
        minimum: 0,
        maximum: 10_000,
        default: 1,
      }),
    ),
  },
  closed,
)

const modelSchema = Type.Object(
  {
    name: Type.String({
      description: 'Public model name, or a pattern with one trailing `*`.',
      minLength: 1,
      maxLength: 200,
    }),
    organization: optional(slug('Owning organization; the first one when left out.')),
    aliases: optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        description: 'Other names of the same route.',
      }),
    ),
    description: optional(Type.String()),
    enabled: optional(Type.Boolean()),
    targets: Type.Array(targetSchema, {
      description: 'Deployments that serve the model.',
      minItems: 1,
      maxItems: 64,
    }),
    timeouts: ownTimeouts('Timeouts of this route; what is left out follows the deployment.'),
    policy: optional(routePolicySchema),
  },
  closed,
)

const productSchema = Type.Object(
  {
    slug: slug('Name in URLs.'),
    organization: optional(slug('Owning organization; the first one when left out.')),
    name: optional(Type.String()),
    version: optional(Type.String({ default: '1' })),
    description: optional(Type.String()),
    state: optional(
      Type.Union(['draft', 'published', 'deprecated', 'retired'].map((state) => Type.Literal(state))),
    ),
    operations: optional(Type.Array(Type.String(), { description: 'Operation ids, or `*`.' })),
    models: optional(Type.Array(Type.String(), { description: 'Model names or patterns, or `*`.' })),
  },
  closed,
)

const planSubscriptionSchema = Type.Object(
  { product: slug('Slug of the product.'), plan: optional(slug('Slug of the plan.')) },
  closed,
)

const applicationSchema = Type.Object(
  {
    slug: slug('Name in URLs.'),
    organization: optional(slug('Owning organization; the first one when left out.')),
    name: optional(Type.String()),
    description: optional(Type.String()),
    team: optional(
      Type.String({
        description: 'Team whose application it is, for limits that count per team.',
        pattern: '^(?:[a-z0-9][a-z0-9._-]{0,62})?$',
      }),
    ),
    keyPolicy: optional(keyPolicySchema),
    products: optional(
      Type.Array(Type.Union([Type.String(), planSubscriptionSchema]), {
        description:
          'Products that the application is subscribed to: slugs, or `{ product, plan }` for one with a plan.',
      }),
    ),
  },
  closed,
)

const planSchema = Type.Object(
  {
    slug: slug('Name in URLs.'),
    organization: optional(slug('Owning organization; the first one when left out.')),
    name: optional(Type.String()),
    description: optional(Type.String()),
    limits: optional(
      Type.Array(givenLimitSchema, {
        description: 'What a subscription with this plan may use, counted per application and product.',
        maxItems: maxLimits,
      }),
    ),
    priority: optional(planFields.priority),
    weight: optional(planFields.weight),
    queue: optional(givenQueueSchema),
  },
  closed,
)

const policySchema = Type.Object(
  {
    slug: slug('Name of the policy; decisions name it.'),
    organization: optional(slug('Owning organization; the first one when left out.')),
    description: optional(Type.String({ maxLength: 2000 })),
    cedar: Type.String({
      description: 'One policy in the Cedar language.',
      minLength: 1,
      maxLength: 16_384,
    }),
    enabled: optional(Type.Boolean({ description: 'False: it is kept and checked, and decides nothing.' })),
  },
  closed,
)

const limitSchema = Type.Object(
  {
    ...givenLimitFields,
    organization: optional(slug('Owning organization; the first one when left out.')),
    match: optional(givenMatchSchema),
  },
  closed,
)

const tokenIssuerSchema = Type.Object(
  {
    ...givenIssuerFields,
    organization: optional(slug('Owning organization; the first one when left out.')),
    credential: optional(
      Type.Record(Type.String(), secretReference, { description: 'For introspection: `clientSecret`.' }),
    ),
  },
  closed,
)

const guardSchema = Type.Object(
  {
    ...givenGuardFields,
    organization: optional(slug('Owning organization; the first one when left out.')),
    match: optional(givenGuardMatchSchema),
  },
  closed,
)

const organizationSchema = Type.Object(
  { slug: slug('Name in URLs.'), name: optional(Type.String()), keyPolicy: optional(keyPolicySchema) },
  closed,
)

const priceSchema = Type.Object(
  {
    provider: Type.String({ description: 'Provider id, or `*`.' }),
    model: Type.String({ description: 'Model at the provider, or a pattern with a trailing `*`.' }),
    inputPerMillion: Type.Number({ minimum: 0 }),
    outputPerMillion: Type.Number({ minimum: 0 }),
    cachedInputPerMillion: optional(Type.Number({ minimum: 0 })),
    cacheWritePerMillion: optional(Type.Number({ minimum: 0 })),
  },
  closed,
)

/** The objects that a file can manage; what `gatewright apply` takes. */
const resourceProperties = {
  organizations: optional(Type.Array(organizationSchema, { description: 'Tenants.' })),
  deployments: optional(
    Type.Array(deploymentSchema, { description: 'Endpoints of providers, with their credentials.' }),
  ),
  models: optional(
    Type.Array(modelSchema, { description: 'Model routes: public names and what serves them.' }),
  ),
  products: optional(Type.Array(productSchema, { description: 'API products.' })),
  plans: optional(
    Type.Array(planSchema, { description: 'Plans: limits that subscriptions to products come with.' }),
  ),
  limits: optional(
    Type.Array(limitSchema, { description: 'Limits that hold for all in an organization that they match.' }),
  ),
  guards: optional(
    Type.Array(guardSchema, {
      description: 'What is looked for in requests and answers, and what then happens.',
    }),
  ),
  policies: optional(
    Type.Array(policySchema, {
      description:
        'Cedar policies. An organization that has one allows only what a policy permits and none forbids.',
      maxItems: 2000,
    }),
  ),
  applications: optional(
    Type.Array(applicationSchema, { description: 'Consumers and their subscriptions.' }),
  ),
  tokenIssuers: optional(
    Type.Array(tokenIssuerSchema, { description: 'Issuers whose access tokens are taken.' }),
  ),
}

export const resourceDocumentSchema = Type.Object(resourceProperties, closed)

export const configSchema = Type.Object(
  {
    $schema: optional(Type.String({ description: 'For editors; ignored.' })),
    dataDir: Type.String({
      description: 'Where keys, certificates, the database and the event log live (created with mode 0700).',
      default: './data',
    }),
    gateway: section('The data plane.', {
      http: dataListener('Plain HTTP for applications on the same machine; loopback only.', 8080),
      https: dataListener('HTTPS (TLS 1.2 or later, HTTP/1.1 and HTTP/2).', 8443),
      workers: Type.Integer({
        description: 'Worker threads; 0 takes one per core.',
        default: 0,
        minimum: 0,
        maximum: 256,
      }),
      trustedProxies: networks(
        'Networks (CIDR) of proxies whose `forwardedHeader` is believed. None by default.',
      ),
      forwardedHeader: Type.Union(
        forwardedHeaders.map((name) => Type.Literal(name)),
        {
          description: 'The field in which trusted proxies name the caller. The other one is never believed.',
          default: 'x-forwarded-for',
        },
      ),
    }),
    control: section('The control plane: admin API, status page, later the console.', {
      http: listener('Plain HTTP; loopback only.', 9080),
      https: listener('HTTPS.', 9443),
    }),
    tls: section(
      'Certificate of both HTTPS listeners. Without one, a local authority in the data directory issues it.',
      {
        certificateFile: optional(Type.String({ description: 'PEM chain; watched and reloaded.' })),
        keyFile: optional(Type.String({ description: 'PEM private key.' })),
        hostnames: Type.Array(Type.String(), {
          description: 'Names and addresses for the locally issued certificate.',
          default: ['localhost', '127.0.0.1', '::1'],
        }),
      },
    ),
    bounds: boundsSchema,
    timeouts: timeoutsSchema,
    secrets: section('Secrets at rest: credentials of providers and peppers, sealed under `root.key`.', {
      otherRootKeyFiles: Type.Array(Type.String({ minLength: 1 }), {
        description:
          'Root key files that open what was sealed under them; `root.key` of the data directory alone seals. For the rotation of the root key.',
        default: [],
        maxItems: 7,
      }),
    }),
    sandbox: section('The built-in sandbox model.', {
      enabled: Type.Union([Type.Literal('auto'), Type.Boolean()], {
        description: '`auto` serves it only while every data-plane listener is on loopback.',
        default: 'auto',
      }),
    }),
    storage: section('Where objects and sums of usage are kept.', storageFields),
    counters: section('Counters of limits that several nodes share.', countersFields),
    alerts: section('Where alerts of limits and of keys go besides the log and the admin API.', alertsFields),
    leakReports: section(
      'Reports that keys of this installation leaked; nobody may report until named here.',
      leakReportsFields,
    ),
    tracing: section('Traces by OpenTelemetry; off unless a receiver is named.', tracingFields),
    shutdown: section('Orderly end.', {
      drainTimeoutMs: count('How long running exchanges may go on after SIGTERM.', 30_000, [0]),
    }),
    usage: section('Metering.', {
      heldBytes: count(
        'Most bytes of usage records that one worker holds while the disk takes none; beyond it requests get 503.',
        67_108_864,
        [4096, 1_073_741_824],
      ),
      retentionDays: count('Days that single usage records are kept; rollups stay.', 30, [1, 3650]),
      minuteSumsDays: count('Days that sums by minute are kept.', 400, [2, 3650]),
      hourSumsDays: count('Days that sums by hour are kept; at least those by minute.', 800, [2, 3650]),
      daySumsDays: count('Days that sums by day are kept; at least those by hour.', 3650, [2, 36_500]),
    }),
    contentLog: section('Logging of request and response content: off unless asked for, sealed at rest.', {
      enabled: Type.Boolean({ description: 'Keep content of exchanges, encrypted.', default: false }),
      retentionDays: count('Days that content is kept.', 7, [1, 365]),
      maxBytes: count('Most bytes kept of one body.', 262_144, [1024, 4_194_304]),
    }),
    events: section('What happened, on its way to sinks.', eventsFields),
    sinks: sinksSchema,
    environmentProviders: Type.Boolean({
      description: 'Make deployments from well-known environment variables such as OPENAI_API_KEY.',
      default: true,
    }),
    documentationUrl: Type.String({
      description: 'Prefix of documentation links in errors.',
      default: 'https://gatewright.dev/docs/errors/',
    }),
    providers: optional(
      Type.Array(Type.Record(Type.String(), Type.Unknown()), {
        description: 'Further provider rows, in the form of the catalogue.',
      }),
    ),
    prices: optional(Type.Array(priceSchema, { description: 'Prices that go before the built-in table.' })),
    ...resourceProperties,
  },
  { ...closed, title: 'gatewright.yaml', description: 'Configuration of Gatewright.' },
)

export type Config = Static<typeof configSchema>
export type ResourceDocument = Static<typeof resourceDocumentSchema>
