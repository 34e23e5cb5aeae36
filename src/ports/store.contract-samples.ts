/** Records and helpers of the store's contract suite. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  AccessPolicy,
  AdminToken,
  ApiKey,
  ApiKeySecret,
  ApiProduct,
  Application,
  Deployment,
  Guard,
  Limit,
  ModelRoute,
  Organization,
  Plan,
  Subscription,
  TopUp,
} from '../domain/entities.ts'
import type { LimitTerms } from '../domain/limits.ts'
import { Fault } from '../kernel/fault.ts'
import type { Store } from './store.ts'

export type OpenStore = () => Promise<Store>

export const start = 1_700_000_000_000
export const stored = (id: string) => ({ id, createdAt: start, updatedAt: start, managedBy: 'api' as const })

export function sampleOrganization(id: string): Organization {
  return { ...stored(id), slug: id, name: `Organization ${id}`, keyPolicy: {} }
}
export function sampleApplication(organizationId: string, id: string): Application {
  return { ...stored(id), organizationId, slug: id, name: id, description: '', team: '', keyPolicy: {} }
}
export function sampleProduct(organizationId: string, id: string): ApiProduct {
  const lists = { operations: ['*'], models: ['gpt-*'] }
  return {
    ...stored(id),
    ...lists,
    organizationId,
    slug: id,
    name: id,
    version: '1',
    description: '',
    state: 'draft',
  }
}
export function sampleSubscription(organizationId: string, id: string, own: Partial<Subscription> = {}) {
  const subscription: Subscription = {
    ...stored(id),
    organizationId,
    applicationId: `app_${organizationId}`,
    productId: 'prod_1',
    state: 'active',
    planId: null,
    ...own,
  }
  return subscription
}
export function samplePolicy(organizationId: string, id: string): AccessPolicy {
  const cedar = 'permit (principal, action, resource);'
  return { ...stored(id), organizationId, slug: id, description: '', cedar, enabled: true, revision: 1 }
}
export const sampleTerms: LimitTerms = {
  name: 'monthly',
  meter: 'cost',
  amount: 500_000_000,
  window: { kind: 'calendar', period: 'month', timeZone: 'Europe/Berlin' },
  per: ['team', 'model'],
  mode: 'warn',
  whenExceeded: 'refuse',
  onStoreLoss: 'closed',
  alertsAt: [0.5, 0.9],
}
export function samplePlan(organizationId: string, id: string): Plan {
  const burst: LimitTerms = {
    ...sampleTerms,
    name: 'rate',
    meter: 'requests',
    window: { kind: 'rolling', ms: 60_000, burst: 20 },
  }
  return {
    ...stored(id),
    organizationId,
    slug: id,
    name: id,
    description: 'Some of it',
    limits: [sampleTerms, burst, { ...burst, name: 'at-once', meter: 'concurrent-requests', window: null }],
    priority: 'high',
    weight: 3,
    queue: { maxWaitMs: 5000, maxLength: 10 },
  }
}
export function sampleLimit(organizationId: string, id: string): Limit {
  const match = {
    applications: ['shop*'],
    teams: null,
    keys: null,
    users: null,
    models: ['gpt-*', 'fast'],
    products: null,
  }
  return { ...stored(id), ...sampleTerms, organizationId, name: id, match }
}
export function sampleGuard(organizationId: string, id: string): Guard {
  return {
    ...stored(id),
    organizationId,
    name: id,
    detector: 'secrets',
    places: ['request', 'tool-result'],
    rules: ['aws-*'],
    threshold: 0.75,
    action: 'mask',
    mode: 'shadow',
    streaming: 'hold',
    onFailure: 'open',
    match: { applications: ['shop*'], products: null, routes: null, models: ['gpt-*'], keys: null },
  }
}
export function sampleTopUp(organizationId: string, id: string, limitId: string): TopUp {
  const raise = { meter: 'cost', subject: 'research|fast', amount: 1_000_000, at: start } as const
  return { ...stored(id), ...raise, organizationId, limitId, note: 'Until Friday' }
}
export function sampleDeployment(organizationId: string, id: string): Deployment {
  return {
    ...stored(id),
    organizationId,
    slug: id,
    providerId: 'openai',
    baseUrl: null,
    dialect: 'openai-chat',
    region: null,
    settings: { apiVersion: '1' },
    credential: { kind: 'none' },
    allowPrivateNetwork: false,
    enabled: true,
    timeouts: { connectMs: 1000 },
  }
}
export function sampleRoute(organizationId: string, id: string, deployment: string): ModelRoute {
  return {
    ...stored(id),
    organizationId,
    name: id,
    aliases: [],
    targets: [{ deployment, model: null, priority: 0, weight: 1 }],
    description: '',
    enabled: true,
    timeouts: { firstByteMs: 30_000 },
    policy: { strategy: 'latency', residency: ['eu-*'] },
  }
}
export function sampleKey(organizationId: string, applicationId: string, id: string): ApiKey {
  return {
    ...stored(id),
    organizationId,
    applicationId,
    keyId: `key${id}`,
    name: id,
    environment: 'live',
    state: 'active',
    models: null,
    operations: ['chat.completions'],
    cidrs: ['10.0.0.0/8'],
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    quarantine: null,
    leaks: [],
  }
}
export function sampleSecret(key: ApiKey, version: number): ApiKeySecret {
  return {
    keyId: key.keyId,
    version,
    hash: `hash-${version}`,
    pepperVersion: 1,
    createdAt: start,
    expiresAt: null,
  }
}
export function sampleToken(id: string, organizationId: string | null): AdminToken {
  return {
    ...stored(id),
    organizationId,
    tokenId: `token${id}`,
    name: id,
    scopes: ['admin'],
    hash: 'h',
    pepperVersion: 1,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
  }
}

export async function rejectsWith(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof Fault && error.code === code)
}

/** Two organizations, each with an application of the same slug. */
async function seed(store: Store): Promise<void> {
  for (const id of ['org_a', 'org_b']) {
    await store.organizations.create(sampleOrganization(id))
    await store.applications.create({ ...sampleApplication(id, `app_${id}`), slug: 'main' })
  }
}

/** Runs `body` on an empty store that holds what `seed` makes. */
export function storeTest(open: OpenStore): (name: string, body: (store: Store) => Promise<void>) => void {
  return (name, body) => {
    test(name, async () => {
      const store = await open()
      try {
        await seed(store)
        await body(store)
      } finally {
        await store.close()
      }
    })
  }
}
