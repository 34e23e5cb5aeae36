/** Records and helpers of the store's contract suite. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  AdminToken,
  ApiKey,
  ApiKeySecret,
  ApiProduct,
  Application,
  Deployment,
  ModelRoute,
  Organization,
} from '../domain/entities.ts'
import { Fault } from '../kernel/fault.ts'
import type { Store } from './store.ts'

export type OpenStore = () => Promise<Store>

export const start = 1_700_000_000_000
export const stored = (id: string) => ({ id, createdAt: start, updatedAt: start, managedBy: 'api' as const })

export function sampleOrganization(id: string): Organization {
  return { ...stored(id), slug: id, name: `Organization ${id}` }
}
export function sampleApplication(organizationId: string, id: string): Application {
  return { ...stored(id), organizationId, slug: id, name: id, description: '' }
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
