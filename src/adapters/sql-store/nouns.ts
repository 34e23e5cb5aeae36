/**
 * The nouns as rows of data: table, columns, unique name, what a record refers to and what may refer to it.
 * The generic table (`records.ts`) reads these rows; nothing there enumerates nouns.
 */
import type {
  AccessPolicy,
  AdminToken,
  ApiKey,
  ApiProduct,
  Application,
  Deployment,
  Guard,
  Limit,
  ModelRoute,
  Organization,
  Plan,
  SealedCredential,
  Subscription,
  TopUp,
} from '../../domain/entities.ts'
import type { TokenIssuer, TokenRevocation } from '../../domain/token-issuer.ts'
import type { Columns } from './columns.ts'
import type { ChangeKind } from './session.ts'

export interface Reference {
  /** Field that holds the id; NULL refers to nothing. */
  readonly field: string
  readonly table: string
  readonly noun: string
}
export interface Usage {
  readonly table: string
  readonly column: string
  /** Field of the record that `column` repeats. */
  readonly field: string
  readonly noun: string
  /** Column that names the user to the reader. */
  readonly label: string
}

export interface Noun<T> {
  readonly table: string
  /** As shown in faults. */
  readonly noun: string
  readonly columns: Columns<T>
  /** always: every call names the organization · optional: null means all of them · never: has none. */
  readonly scope: 'always' | 'optional' | 'never'
  /** Field of the unique name. */
  readonly name: keyof T & string
  readonly filters: readonly (keyof T & string)[]
  readonly references: readonly Reference[]
  readonly usedBy: readonly Usage[]
  readonly change: ChangeKind
}

const stored = { id: 'text', createdAt: 'integer', updatedAt: 'integer', managedBy: 'text' } as const
const ofOrganization: Reference = { field: 'organizationId', table: 'organizations', noun: 'organization' }

function usedBy(table: string, noun: string, column: string): Usage {
  return { table, column, field: 'id', noun, label: 'id' }
}

export const organizationNoun: Noun<Organization> = {
  table: 'organizations',
  noun: 'organization',
  columns: { ...stored, slug: 'text', name: 'text', keyPolicy: 'json' },
  scope: 'never',
  name: 'slug',
  filters: [],
  references: [],
  usedBy: [
    usedBy('applications', 'application', 'organization_id'),
    usedBy('api_products', 'API product', 'organization_id'),
    usedBy('plans', 'plan', 'organization_id'),
    usedBy('limits', 'limit', 'organization_id'),
    usedBy('guards', 'guard', 'organization_id'),
    usedBy('access_policies', 'policy', 'organization_id'),
    usedBy('model_routes', 'model route', 'organization_id'),
    usedBy('deployments', 'deployment', 'organization_id'),
    usedBy('token_issuers', 'token issuer', 'organization_id'),
    usedBy('credentials', 'credential', 'organization_id'),
    usedBy('admin_tokens', 'admin token', 'organization_id'),
  ],
  change: 'configuration',
}

export const applicationNoun: Noun<Application> = {
  table: 'applications',
  noun: 'application',
  columns: {
    ...stored,
    organizationId: 'text',
    slug: 'text',
    name: 'text',
    description: 'text',
    team: 'text',
    keyPolicy: 'json',
  },
  scope: 'always',
  name: 'slug',
  filters: [],
  references: [ofOrganization],
  usedBy: [
    usedBy('subscriptions', 'subscription', 'application_id'),
    usedBy('api_keys', 'API key', 'application_id'),
  ],
  change: 'configuration',
}

export const productNoun: Noun<ApiProduct> = {
  table: 'api_products',
  noun: 'API product',
  columns: {
    ...stored,
    organizationId: 'text',
    slug: 'text',
    name: 'text',
    version: 'text',
    description: 'text',
    state: 'text',
    operations: 'json',
    models: 'json',
  },
  scope: 'always',
  name: 'slug',
  filters: ['state'],
  references: [ofOrganization],
  usedBy: [usedBy('subscriptions', 'subscription', 'product_id')],
  change: 'configuration',
}

export const subscriptionNoun: Noun<Subscription> = {
  table: 'subscriptions',
  noun: 'subscription',
  columns: {
    ...stored,
    organizationId: 'text',
    applicationId: 'text',
    productId: 'text',
    state: 'text',
    planId: 'text',
  },
  scope: 'always',
  name: 'id',
  filters: ['applicationId', 'productId', 'state'],
  references: [
    ofOrganization,
    { field: 'applicationId', table: 'applications', noun: 'application' },
    { field: 'productId', table: 'api_products', noun: 'API product' },
    { field: 'planId', table: 'plans', noun: 'plan' },
  ],
  usedBy: [],
  change: 'configuration',
}

export const planNoun: Noun<Plan> = {
  table: 'plans',
  noun: 'plan',
  columns: {
    ...stored,
    organizationId: 'text',
    slug: 'text',
    name: 'text',
    description: 'text',
    limits: 'json',
    priority: 'text',
    weight: 'integer',
    queue: 'json',
  },
  scope: 'always',
  name: 'slug',
  filters: [],
  references: [ofOrganization],
  usedBy: [usedBy('subscriptions', 'subscription', 'plan_id')],
  change: 'configuration',
}

export const limitNoun: Noun<Limit> = {
  table: 'limits',
  noun: 'limit',
  columns: {
    ...stored,
    organizationId: 'text',
    name: 'text',
    meter: 'text',
    amount: 'integer',
    window: 'json',
    per: 'json',
    mode: 'text',
    whenExceeded: 'text',
    onStoreLoss: 'text',
    alertsAt: 'json',
    match: 'json',
  },
  scope: 'always',
  name: 'name',
  filters: [],
  references: [ofOrganization],
  usedBy: [],
  change: 'configuration',
}

export const guardNoun: Noun<Guard> = {
  table: 'guards',
  noun: 'guard',
  columns: {
    ...stored,
    organizationId: 'text',
    name: 'text',
    detector: 'text',
    places: 'json',
    rules: 'json',
    threshold: 'json',
    action: 'text',
    mode: 'text',
    streaming: 'text',
    onFailure: 'text',
    match: 'json',
  },
  scope: 'always',
  name: 'name',
  filters: [],
  references: [ofOrganization],
  usedBy: [],
  change: 'configuration',
}

export const policyNoun: Noun<AccessPolicy> = {
  table: 'access_policies',
  noun: 'policy',
  columns: {
    ...stored,
    organizationId: 'text',
    slug: 'text',
    description: 'text',
    cedar: 'text',
    enabled: 'boolean',
    revision: 'integer',
  },
  scope: 'always',
  name: 'slug',
  filters: [],
  references: [ofOrganization],
  usedBy: [],
  change: 'configuration',
}

export const topUpNoun: Noun<TopUp> = {
  table: 'limit_top_ups',
  noun: 'top-up',
  columns: {
    ...stored,
    organizationId: 'text',
    limitId: 'text',
    meter: 'text',
    subject: 'text',
    amount: 'integer',
    at: 'integer',
    note: 'text',
  },
  scope: 'always',
  name: 'id',
  filters: ['limitId'],
  references: [ofOrganization],
  usedBy: [],
  change: 'configuration',
}

export const deploymentNoun: Noun<Deployment> = {
  table: 'deployments',
  noun: 'deployment',
  columns: {
    ...stored,
    organizationId: 'text',
    slug: 'text',
    providerId: 'text',
    baseUrl: 'text',
    dialect: 'text',
    region: 'text',
    settings: 'json',
    credential: 'json',
    allowPrivateNetwork: 'boolean',
    enabled: 'boolean',
    timeouts: 'json',
  },
  scope: 'always',
  name: 'slug',
  filters: ['providerId'],
  references: [ofOrganization],
  usedBy: [
    {
      table: 'model_route_targets',
      column: 'deployment',
      field: 'slug',
      noun: 'model route',
      label: 'route_id',
    },
  ],
  change: 'configuration',
}

export const routeNoun: Noun<ModelRoute> = {
  table: 'model_routes',
  noun: 'model route',
  columns: {
    ...stored,
    organizationId: 'text',
    name: 'text',
    aliases: 'json',
    targets: 'json',
    description: 'text',
    enabled: 'boolean',
    timeouts: 'json',
    policy: 'json',
  },
  scope: 'always',
  name: 'name',
  filters: [],
  references: [ofOrganization],
  usedBy: [],
  change: 'configuration',
}

export const credentialNoun: Noun<SealedCredential> = {
  table: 'credentials',
  noun: 'credential',
  columns: { id: 'text', organizationId: 'text', sealed: 'text', createdAt: 'integer' },
  scope: 'always',
  name: 'id',
  filters: [],
  references: [ofOrganization],
  usedBy: [
    { table: 'deployments', column: 'credential_id', field: 'id', noun: 'deployment', label: 'slug' },
    { table: 'token_issuers', column: 'credential_id', field: 'id', noun: 'token issuer', label: 'name' },
  ],
  change: 'configuration',
}

export const keyNoun: Noun<ApiKey> = {
  table: 'api_keys',
  noun: 'API key',
  columns: {
    ...stored,
    organizationId: 'text',
    applicationId: 'text',
    keyId: 'text',
    name: 'text',
    environment: 'text',
    state: 'text',
    models: 'json',
    operations: 'json',
    cidrs: 'json',
    expiresAt: 'integer',
    lastUsedAt: 'integer',
    revokedAt: 'integer',
    quarantine: 'json',
    leaks: 'json',
  },
  scope: 'always',
  name: 'keyId',
  filters: ['applicationId', 'state'],
  references: [ofOrganization, { field: 'applicationId', table: 'applications', noun: 'application' }],
  usedBy: [],
  change: 'keys',
}

export const tokenIssuerNoun: Noun<TokenIssuer> = {
  table: 'token_issuers',
  noun: 'token issuer',
  columns: {
    ...stored,
    organizationId: 'text',
    name: 'text',
    issuer: 'text',
    enabled: 'boolean',
    terms: 'json',
    credential: 'json',
  },
  scope: 'always',
  name: 'name',
  filters: [],
  references: [ofOrganization],
  usedBy: [],
  change: 'configuration',
}

/** Of the kind of keys: what it ends must not wait for a snapshot to be compiled. */
export const tokenRevocationNoun: Noun<TokenRevocation> = {
  table: 'token_revocations',
  noun: 'token revocation',
  columns: {
    id: 'text',
    createdAt: 'integer',
    organizationId: 'text',
    issuerId: 'text',
    kind: 'text',
    value: 'text',
    issuedUntil: 'integer',
    expiresAt: 'integer',
  },
  scope: 'always',
  name: 'id',
  filters: ['issuerId'],
  references: [ofOrganization, { field: 'issuerId', table: 'token_issuers', noun: 'token issuer' }],
  usedBy: [],
  change: 'keys',
}

export const adminTokenNoun: Noun<AdminToken> = {
  table: 'admin_tokens',
  noun: 'admin token',
  columns: {
    ...stored,
    organizationId: 'text',
    tokenId: 'text',
    name: 'text',
    scopes: 'json',
    hash: 'text',
    pepperVersion: 'integer',
    expiresAt: 'integer',
    lastUsedAt: 'integer',
    revokedAt: 'integer',
  },
  scope: 'optional',
  name: 'tokenId',
  filters: [],
  references: [ofOrganization],
  usedBy: [],
  change: null,
}
