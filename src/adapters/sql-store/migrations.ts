/**
 * The schema, forward only. A migration that has shipped never changes; a new one is added at the end.
 * Composite foreign keys carry the organization id, so that no row can refer into another organization.
 */
import type { ColumnDefinitionBuilder, CreateTableBuilder, ForeignKeyConstraintBuilder } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addNodeReports, createCounterTables } from '../sql-counters/counter-tables.ts'
import { addAuditCheckpoints } from './checkpoint-migration.ts'
import type { Database } from './database.ts'
import { addGuards } from './guard-migration.ts'
import { addKeyPolicies } from './key-policy-migration.ts'
import { addLimitAlerts } from './limit-alert-migration.ts'
import { addTokenIssuers } from './token-issuer-migration.ts'
import { latencyBuckets, usageSums } from './usage-columns.ts'
import { addUsageProducts } from './usage-product-migration.ts'
import { addUsageRollups } from './usage-rollup-migration.ts'

const notNull = (column: ColumnDefinitionBuilder) => column.notNull()
const primary = (column: ColumnDefinitionBuilder) => column.notNull().primaryKey()

type Builder = CreateTableBuilder<string, string>

const cascade = (key: ForeignKeyConstraintBuilder) => key.onDelete('cascade')

/** A table with id and creation time; `texts` and `integers` are NOT NULL columns. */
function createTable(
  db: Database,
  name: string,
  columns: { texts: readonly string[]; integers?: readonly string[] },
) {
  let table: Builder = db.schema
    .createTable(name)
    .addColumn('id', 'text', primary)
    .addColumn('created_at', 'bigint', notNull)
  for (const column of columns.texts) table = table.addColumn(column, 'text', notNull)
  for (const column of columns.integers ?? []) table = table.addColumn(column, 'bigint', notNull)
  return table
}

/** Adds what lets other tables refer to (organization_id, id) and what listing orders by. */
function owned(table: Builder, name: string): Builder {
  return table
    .addForeignKeyConstraint(`${name}_organization`, ['organization_id'], 'organizations', ['id'])
    .addUniqueConstraint(`${name}_in_organization`, ['organization_id', 'id'])
}

async function indexForListing(db: Database, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const columns = ['organization_id', 'created_at', 'id']
    await db.schema.createIndex(`${name}_listing`).on(name).columns(columns).execute()
  }
}

async function createTenants(db: Database): Promise<void> {
  const record = ['managed_by']
  const times = ['updated_at']
  await createTable(db, 'organizations', { texts: [...record, 'slug', 'name'], integers: times })
    .addUniqueConstraint('organizations_slug', ['slug'])
    .execute()
  const tenant = [...record, 'organization_id']
  await owned(
    createTable(db, 'applications', { texts: [...tenant, 'slug', 'name', 'description'], integers: times }),
    'applications',
  )
    .addUniqueConstraint('applications_slug', ['organization_id', 'slug'])
    .execute()
  await owned(
    createTable(db, 'api_products', {
      texts: [...tenant, 'slug', 'name', 'version', 'description', 'state', 'operations', 'models'],
      integers: times,
    }),
    'api_products',
  )
    .addUniqueConstraint('api_products_slug', ['organization_id', 'slug'])
    .execute()
  await owned(
    createTable(db, 'subscriptions', {
      texts: [...tenant, 'application_id', 'product_id', 'state'],
      integers: times,
    }),
    'subscriptions',
  )
    .addForeignKeyConstraint(
      'subscriptions_application',
      ['organization_id', 'application_id'],
      'applications',
      ['organization_id', 'id'],
    )
    .addForeignKeyConstraint('subscriptions_product', ['organization_id', 'product_id'], 'api_products', [
      'organization_id',
      'id',
    ])
    .addUniqueConstraint('subscriptions_once', ['application_id', 'product_id'])
    .execute()
  await indexForListing(db, ['applications', 'api_products', 'subscriptions'])
  await db.schema.createIndex('subscriptions_of_product').on('subscriptions').column('product_id').execute()
}

async function createDeployments(db: Database): Promise<void> {
  await owned(
    createTable(db, 'credentials', { texts: ['organization_id', 'sealed'] }),
    'credentials',
  ).execute()
  await owned(
    createTable(db, 'deployments', {
      texts: ['managed_by', 'organization_id', 'slug', 'provider_id', 'settings', 'credential', 'timeouts'],
      integers: ['updated_at', 'allow_private_network', 'enabled'],
    }),
    'deployments',
  )
    .addColumn('base_url', 'text')
    .addColumn('dialect', 'text')
    .addColumn('region', 'text')
    .addColumn('credential_id', 'text')
    .addUniqueConstraint('deployments_slug', ['organization_id', 'slug'])
    .addForeignKeyConstraint('deployments_credential', ['organization_id', 'credential_id'], 'credentials', [
      'organization_id',
      'id',
    ])
    .execute()
  await indexForListing(db, ['credentials', 'deployments'])
  await db.schema.createIndex('deployments_of_credential').on('deployments').column('credential_id').execute()
}

/** Part of a route that needs a rule of its own: unique names, existing deployments. */
async function createRouteParts(db: Database): Promise<void> {
  await db.schema
    .createTable('model_route_names')
    .addColumn('organization_id', 'text', notNull)
    .addColumn('name', 'text', notNull)
    .addColumn('route_id', 'text', notNull)
    .addPrimaryKeyConstraint('model_route_names_once', ['organization_id', 'name'])
    .addForeignKeyConstraint(
      'model_route_names_route',
      ['organization_id', 'route_id'],
      'model_routes',
      ['organization_id', 'id'],
      cascade,
    )
    .execute()
  await db.schema
    .createTable('model_route_targets')
    .addColumn('organization_id', 'text', notNull)
    .addColumn('route_id', 'text', notNull)
    .addColumn('deployment', 'text', notNull)
    .addPrimaryKeyConstraint('model_route_targets_once', ['organization_id', 'route_id', 'deployment'])
    .addForeignKeyConstraint(
      'model_route_targets_route',
      ['organization_id', 'route_id'],
      'model_routes',
      ['organization_id', 'id'],
      cascade,
    )
    .addForeignKeyConstraint(
      'model_route_targets_deployment',
      ['organization_id', 'deployment'],
      'deployments',
      ['organization_id', 'slug'],
    )
    .execute()
  await db.schema
    .createIndex('model_route_names_of_route')
    .on('model_route_names')
    .columns(['organization_id', 'route_id'])
    .execute()
  await db.schema
    .createIndex('model_route_targets_of_deployment')
    .on('model_route_targets')
    .columns(['organization_id', 'deployment'])
    .execute()
}

async function createRoutes(db: Database): Promise<void> {
  await owned(
    createTable(db, 'model_routes', {
      texts: ['managed_by', 'organization_id', 'name', 'aliases', 'targets', 'description'],
      integers: ['updated_at', 'enabled'],
    }),
    'model_routes',
  ).execute()
  await createRouteParts(db)
  await indexForListing(db, ['model_routes'])
}

async function createKeys(db: Database): Promise<void> {
  await owned(
    createTable(db, 'api_keys', {
      texts: [
        'managed_by',
        'organization_id',
        'application_id',
        'key_id',
        'name',
        'environment',
        'state',
        'cidrs',
      ],
      integers: ['updated_at', 'changed_version'],
    }),
    'api_keys',
  )
    .addColumn('models', 'text')
    .addColumn('operations', 'text')
    .addColumn('expires_at', 'bigint')
    .addColumn('last_used_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .addUniqueConstraint('api_keys_key_id', ['key_id'])
    .addForeignKeyConstraint('api_keys_application', ['organization_id', 'application_id'], 'applications', [
      'organization_id',
      'id',
    ])
    .execute()
  await db.schema
    .createTable('api_key_secrets')
    .addColumn('key_id', 'text', notNull)
    .addColumn('version', 'bigint', notNull)
    .addColumn('hash', 'text', notNull)
    .addColumn('pepper_version', 'bigint', notNull)
    .addColumn('created_at', 'bigint', notNull)
    .addColumn('expires_at', 'bigint')
    .addPrimaryKeyConstraint('api_key_secrets_version', ['key_id', 'version'])
    .addForeignKeyConstraint('api_key_secrets_key', ['key_id'], 'api_keys', ['key_id'], (key) =>
      key.onDelete('cascade'),
    )
    .execute()
  await db.schema
    .createTable('removed_api_keys')
    .addColumn('key_id', 'text', primary)
    .addColumn('version', 'bigint', notNull)
    .execute()
  await indexForListing(db, ['api_keys'])
  await db.schema.createIndex('api_keys_of_application').on('api_keys').column('application_id').execute()
  await db.schema.createIndex('api_keys_changed').on('api_keys').column('changed_version').execute()
  await db.schema.createIndex('removed_api_keys_changed').on('removed_api_keys').column('version').execute()
}

async function createAdministration(db: Database): Promise<void> {
  await createTable(db, 'admin_tokens', {
    texts: ['managed_by', 'token_id', 'name', 'scopes', 'hash'],
    integers: ['updated_at', 'pepper_version'],
  })
    .addColumn('organization_id', 'text')
    .addColumn('expires_at', 'bigint')
    .addColumn('last_used_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .addUniqueConstraint('admin_tokens_token_id', ['token_id'])
    .addForeignKeyConstraint('admin_tokens_organization', ['organization_id'], 'organizations', ['id'])
    .execute()
  await createTable(db, 'setup_links', { texts: ['hash'], integers: ['expires_at'] })
    .addColumn('used_at', 'bigint')
    .addUniqueConstraint('setup_links_hash', ['hash'])
    .execute()
  await db.schema
    .createTable('settings')
    .addColumn('name', 'text', primary)
    .addColumn('value', 'text', notNull)
    .execute()
  await db.schema
    .createTable('idempotency_records')
    .addColumn('scope', 'text', notNull)
    .addColumn('key', 'text', notNull)
    .addColumn('fingerprint', 'text', notNull)
    .addColumn('expires_at', 'bigint', notNull)
    .addColumn('reply', 'text')
    .addPrimaryKeyConstraint('idempotency_records_once', ['scope', 'key'])
    .execute()
  await db.schema.createIndex('idempotency_expiry').on('idempotency_records').column('expires_at').execute()
  await db.schema
    .createTable('change_versions')
    .addColumn('name', 'text', primary)
    .addColumn('value', 'bigint', notNull)
    .execute()
  await db
    .insertInto('change_versions')
    .values([
      { name: 'current', value: 1 },
      { name: 'configuration', value: 1 },
    ])
    .execute()
}

async function createUsage(db: Database): Promise<void> {
  let series: Builder = db.schema.createTable('usage_series').addColumn('id', 'text', primary)
  const names = ['organization_id', 'application_id', 'key_id', 'operation', 'model', 'served_model']
  for (const name of [...names, 'provider_id', 'deployment_id'])
    series = series.addColumn(name, 'text', notNull)
  await series.addColumn('status_class', 'bigint', notNull).execute()
  let minutes: Builder = db.schema
    .createTable('usage_minutes')
    .addColumn('organization_id', 'text', notNull)
    .addColumn('minute', 'bigint', notNull)
    .addColumn('series_id', 'text', notNull)
  for (const { column } of usageSums) minutes = minutes.addColumn(column, 'bigint', notNull)
  for (const column of latencyBuckets) minutes = minutes.addColumn(column, 'bigint', notNull)
  await minutes
    .addPrimaryKeyConstraint('usage_minutes_once', ['organization_id', 'minute', 'series_id'])
    .addForeignKeyConstraint('usage_minutes_series', ['series_id'], 'usage_series', ['id'])
    .execute()
  await db.schema.createIndex('usage_minutes_age').on('usage_minutes').column('minute').execute()
  await db.schema.createIndex('usage_minutes_of_series').on('usage_minutes').column('series_id').execute()
  await db.schema
    .createTable('usage_cursors')
    .addColumn('name', 'text', primary)
    .addColumn('cursor', 'text', notNull)
    .execute()
}

/** Routes made before had no timeouts of their own. */
async function addRouteTimeouts(db: Database): Promise<void> {
  await db.schema
    .alterTable('model_routes')
    .addColumn('timeouts', 'text', (column) => column.notNull().defaultTo('{}'))
    .execute()
}

/** Routes made before have the policy that all have who say nothing. */
async function addRoutePolicy(db: Database): Promise<void> {
  await db.schema
    .alterTable('model_routes')
    .addColumn('policy', 'text', (column) => column.notNull().defaultTo('{}'))
    .execute()
}

/** Limits, plans and top-ups; applications made before belong to no team, subscriptions have no plan. */
async function addLimits(db: Database): Promise<void> {
  const tenant = ['managed_by', 'organization_id']
  await owned(
    createTable(db, 'plans', {
      texts: [...tenant, 'slug', 'name', 'description', 'limits', 'priority', 'queue'],
      integers: ['updated_at', 'weight'],
    }),
    'plans',
  )
    .addUniqueConstraint('plans_slug', ['organization_id', 'slug'])
    .execute()
  const rules = ['per', 'mode', 'when_exceeded', 'on_store_loss', 'alerts_at', 'match']
  await owned(
    createTable(db, 'limits', {
      texts: [...tenant, 'name', 'meter', ...rules],
      integers: ['updated_at', 'amount'],
    }),
    'limits',
  )
    .addColumn('window', 'text')
    .addUniqueConstraint('limits_name', ['organization_id', 'name'])
    .execute()
  await addTopUps(db)
  await indexForListing(db, ['plans', 'limits', 'limit_top_ups'])
  await db.schema
    .alterTable('applications')
    .addColumn('team', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  // SQLite adds a column with a reference of one column only; that the plan is of the same organization is checked
  // with every write of a subscription.
  await db.schema
    .alterTable('subscriptions')
    .addColumn('plan_id', 'text', (column) => column.references('plans.id'))
    .execute()
  await db.schema.createIndex('subscriptions_of_plan').on('subscriptions').column('plan_id').execute()
}

/** A top-up raises a limit, or a limit of a plan: one of the two references is set, and what it names takes it along. */
async function addTopUps(db: Database): Promise<void> {
  let table = owned(
    createTable(db, 'limit_top_ups', {
      texts: ['managed_by', 'organization_id', 'limit_id', 'meter', 'subject', 'note'],
      integers: ['updated_at', 'amount', 'at'],
    }),
    'limit_top_ups',
  )
  const owners = [
    ['own_limit_id', 'limits'],
    ['plan_id', 'plans'],
  ] as const
  for (const [column, owner] of owners) {
    const columns = ['organization_id', column]
    table = table
      .addColumn(column, 'text')
      .addForeignKeyConstraint(`limit_top_ups_${owner}`, columns, owner, ['organization_id', 'id'], cascade)
  }
  await table.execute()
  for (const [column] of owners)
    await db.schema.createIndex(`limit_top_ups_${column}`).on('limit_top_ups').column(column).execute()
}

async function addAccessPolicies(db: Database): Promise<void> {
  await owned(
    createTable(db, 'access_policies', {
      texts: ['managed_by', 'organization_id', 'slug', 'description', 'cedar'],
      integers: ['updated_at', 'enabled', 'revision'],
    }),
    'access_policies',
  )
    .addUniqueConstraint('access_policies_slug', ['organization_id', 'slug'])
    .execute()
  await indexForListing(db, ['access_policies'])
}

export const migrations: Readonly<Record<string, Migration>> = Object.freeze({
  '0001-initial': {
    async up(db: Database) {
      await createTenants(db)
      await createDeployments(db)
      await createRoutes(db)
      await createKeys(db)
      await createAdministration(db)
      await createUsage(db)
    },
  },
  '0002-route-timeouts': { up: addRouteTimeouts },
  '0003-limits': { up: addLimits },
  '0004-route-policy': { up: addRoutePolicy },
  '0005-counters': { up: createCounterTables },
  '0006-limit-alerts': { up: addLimitAlerts },
  '0007-counter-reports': { up: addNodeReports },
  '0008-usage-rollups': { up: addUsageRollups },
  '0009-usage-products': { up: addUsageProducts },
  '0010-token-issuers': { up: addTokenIssuers },
  '0011-key-policies': { up: addKeyPolicies },
  '0012-access-policies': { up: addAccessPolicies },
  '0013-guards': { up: addGuards },
  '0014-audit-checkpoints': { up: addAuditCheckpoints },
})
