/** Token issuers, what each of them claims, and the revocations of their tokens, which go with them. */
import type { ColumnDefinitionBuilder, CreateTableBuilder, ForeignKeyConstraintBuilder } from 'kysely'
import type { Database } from './database.ts'

type Builder = CreateTableBuilder<string, string>

const notNull = (column: ColumnDefinitionBuilder) => column.notNull()
const primary = (column: ColumnDefinitionBuilder) => column.notNull().primaryKey()
const cascade = (key: ForeignKeyConstraintBuilder) => key.onDelete('cascade')
const issuerColumns = ['organization_id', 'issuer_id']

function ofIssuer(table: Builder, name: string): Builder {
  const owner = ['organization_id', 'id']
  return table.addForeignKeyConstraint(`${name}_issuer`, issuerColumns, 'token_issuers', owner, cascade)
}

async function createIssuers(db: Database): Promise<void> {
  let table: Builder = db.schema.createTable('token_issuers').addColumn('id', 'text', primary)
  for (const name of ['created_at', 'updated_at', 'enabled']) table = table.addColumn(name, 'bigint', notNull)
  for (const name of ['managed_by', 'organization_id', 'name', 'issuer', 'terms', 'credential'])
    table = table.addColumn(name, 'text', notNull)
  await table
    .addColumn('credential_id', 'text')
    .addForeignKeyConstraint('token_issuers_organization', ['organization_id'], 'organizations', ['id'])
    .addForeignKeyConstraint(
      'token_issuers_credential',
      ['organization_id', 'credential_id'],
      'credentials',
      ['organization_id', 'id'],
    )
    .addUniqueConstraint('token_issuers_in_organization', ['organization_id', 'id'])
    .addUniqueConstraint('token_issuers_name', ['organization_id', 'name'])
    .execute()
  let places: Builder = db.schema.createTable('token_issuer_places').addColumn('place', 'text', primary)
  for (const name of issuerColumns) places = places.addColumn(name, 'text', notNull)
  await ofIssuer(places, 'token_issuer_places').execute()
}

async function createRevocations(db: Database): Promise<void> {
  let table: Builder = db.schema.createTable('token_revocations').addColumn('id', 'text', primary)
  for (const name of ['created_at', 'issued_until', 'expires_at', 'changed_version'])
    table = table.addColumn(name, 'bigint', notNull)
  for (const name of ['organization_id', 'issuer_id', 'kind', 'value'])
    table = table.addColumn(name, 'text', notNull)
  await ofIssuer(table, 'token_revocations').execute()
}

const indexes = [
  ['token_issuers', 'listing', ['organization_id', 'created_at', 'id']],
  ['token_issuers', 'of_credential', ['credential_id']],
  ['token_issuer_places', 'of_issuer', issuerColumns],
  ['token_revocations', 'listing', ['organization_id', 'created_at', 'id']],
  ['token_revocations', 'of_issuer', issuerColumns],
  ['token_revocations', 'changed', ['changed_version']],
] as const

export async function addTokenIssuers(db: Database): Promise<void> {
  await createIssuers(db)
  await createRevocations(db)
  for (const [table, name, columns] of indexes)
    await db.schema
      .createIndex(`${table}_${name}`)
      .on(table)
      .columns([...columns])
      .execute()
}
