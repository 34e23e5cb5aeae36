/** The Store port over Kysely. A driver brings the connection and says what its errors mean; nothing else differs. */
import type {
  AccessPolicy,
  ApiProduct,
  Application,
  Deployment,
  Guard,
  Limit,
  Organization,
  Plan,
  Subscription,
} from '../../domain/entities.ts'
import {
  type AccessPolicyPatch,
  type ApiProductPatch,
  type ApplicationPatch,
  type ConfigurationRecords,
  type DeploymentPatch,
  type GuardPatch,
  type LimitPatch,
  type OrganizationPatch,
  type PlanPatch,
  pageLimit,
  type Store,
  type StoreTables,
  type StoreVersions,
  type SubscriptionPatch,
  type SubscriptionTable,
} from '../../ports/store.ts'
import {
  createAdminTokenTable,
  createIdempotencyTable,
  createSettingTable,
  createSetupLinkTable,
} from './administration-tables.ts'
import { createCredentialTable, credentialRecords } from './credential-table.ts'
import type { ClassifyError, Database } from './database.ts'
import { createKeyTable, readKeyChanges } from './key-table.ts'
import {
  applicationNoun,
  deploymentNoun,
  guardNoun,
  organizationNoun,
  policyNoun,
  productNoun,
  subscriptionNoun,
} from './nouns.ts'
import { getRecord } from './record-reads.ts'
import { defineTable, type Identified, type RecordTable } from './record-table.ts'
import { createRecords } from './records.ts'
import { createRouteTable, routeRecords } from './route-table.ts'
import { createRootSession, type RootSession, type Session } from './session.ts'
import {
  createTokenIssuerTable,
  createTokenRevocationTable,
  readRevocationsSince,
  tokenIssuerRecords,
} from './token-issuer-table.ts'
import { createTopUpTable, limitRecords, planRecords, topUpRecords } from './top-up-table.ts'

const organizationRecords = defineTable(organizationNoun)
const applicationRecords = defineTable(applicationNoun)
const policyRecords = defineTable(policyNoun)
const productRecords = defineTable(productNoun)
const subscriptionRecords = defineTable(subscriptionNoun, {
  nameOf: (record) => `${record.applicationId}/${record.productId}`,
})
const guardRecords = defineTable(guardNoun)
const deploymentRecords = defineTable(deploymentNoun, {
  columns: ({ credential }) => ({
    credential_id: credential.kind === 'sealed' ? credential.credentialId : null,
  }),
})

function createSubscriptionTable(session: Session): SubscriptionTable {
  return {
    ...createRecords<Subscription, SubscriptionPatch, object>(session, subscriptionRecords),
    async find(organizationId, name) {
      const slash = name.indexOf('/')
      const row = await session.db
        .selectFrom(subscriptionNoun.table)
        .select('id')
        .where('organization_id', '=', organizationId)
        .where('application_id', '=', name.slice(0, Math.max(slash, 0)))
        .where('product_id', '=', name.slice(slash + 1))
        .executeTakeFirst()
      if (row === undefined) return null
      return getRecord(session, subscriptionRecords, { scope: organizationId, value: String(row['id']) })
    },
  }
}

function createTables(session: Session): StoreTables {
  const organizations = createRecords<Organization, OrganizationPatch, object>(session, organizationRecords)
  return {
    organizations: {
      create: organizations.create,
      get: (id) => organizations.get(null, id),
      find: (slug) => organizations.find(null, slug),
      list: (query) => organizations.list(null, query),
      update: (id, change) => organizations.update(null, id, change),
      remove: (id) => organizations.remove(null, id),
    },
    applications: createRecords<Application, ApplicationPatch, object>(session, applicationRecords),
    products: createRecords<ApiProduct, ApiProductPatch, object>(session, productRecords),
    subscriptions: createSubscriptionTable(session),
    plans: createRecords<Plan, PlanPatch, object>(session, planRecords),
    limits: createRecords<Limit, LimitPatch, object>(session, limitRecords),
    guards: createRecords<Guard, GuardPatch, object>(session, guardRecords),
    topUps: createTopUpTable(session),
    policies: createRecords<AccessPolicy, AccessPolicyPatch, object>(session, policyRecords),
    deployments: createRecords<Deployment, DeploymentPatch, object>(session, deploymentRecords),
    routes: createRouteTable(session),
    credentials: createCredentialTable(session),
    keys: createKeyTable(session),
    tokenIssuers: createTokenIssuerTable(session),
    tokenRevocations: createTokenRevocationTable(session),
    adminTokens: createAdminTokenTable(session),
    settings: createSettingTable(session),
    setupLinks: createSetupLinkTable(session),
    idempotency: createIdempotencyTable(session),
  }
}

async function readVersions(session: Session): Promise<StoreVersions> {
  const rows = await session.db.selectFrom('change_versions').selectAll().execute()
  const versionOf = (name: string) => Number(rows.find((row) => row['name'] === name)?.['value'] ?? 0)
  return { current: versionOf('current'), configuration: versionOf('configuration') }
}

/** All records of a table, of all organizations, page by page. */
async function readAll<T extends Identified>(session: Session, table: RecordTable<T>): Promise<readonly T[]> {
  const all: T[] = []
  let after = ''
  for (;;) {
    const rows = await session.db
      .selectFrom(table.noun.table)
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(pageLimit.max)
      .execute()
    for (const row of rows) all.push(table.codec.decode(row))
    const last = all.at(-1)
    if (rows.length < pageLimit.max || last === undefined) return all
    after = last.id
  }
}

function loadConfiguration(root: RootSession): Promise<ConfigurationRecords> {
  return root.instant(async (session) => ({
    version: (await readVersions(session)).current,
    organizations: await readAll(session, organizationRecords),
    applications: await readAll(session, applicationRecords),
    products: await readAll(session, productRecords),
    subscriptions: await readAll(session, subscriptionRecords),
    plans: await readAll(session, planRecords),
    limits: await readAll(session, limitRecords),
    guards: await readAll(session, guardRecords),
    topUps: await readAll(session, topUpRecords),
    policies: await readAll(session, policyRecords),
    deployments: await readAll(session, deploymentRecords),
    routes: await readAll(session, routeRecords),
    credentials: await readAll(session, credentialRecords),
    tokenIssuers: await readAll(session, tokenIssuerRecords),
  }))
}

/** `db` must be migrated. Closing the store closes the connection. */
export function createSqlStore(db: Database, classify: ClassifyError): Store {
  const root = createRootSession(db, classify)
  return {
    ...createTables(root),
    transaction: (work) => root.atomically((session) => work(createTables(session))),
    versions: () => readVersions(root),
    loadConfiguration: () => loadConfiguration(root),
    keysSince: (version) =>
      root.instant(async (session) => {
        const { current } = await readVersions(session)
        return readKeyChanges(session, { after: version, current })
      }),
    tokenRevocationsSince: (version) => readRevocationsSince(root, version),
    subscribe: root.subscribe,
    close: () => db.destroy(),
  }
}
