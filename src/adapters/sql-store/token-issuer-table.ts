/**
 * Token issuers and revocations of tokens. What an issuer claims (`iss` with an audience, or a prefix of opaque
 * tokens) is a row of its own, so that the database keeps it unique over all organizations: a token must never
 * reach an organization that did not register its issuer first.
 */
import type { TokenIssuer, TokenRevocation } from '../../domain/token-issuer.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import {
  pageLimit,
  revocationLimit,
  type TokenIssuerPatch,
  type TokenIssuerTable,
  type TokenRevocationTable,
} from '../../ports/store.ts'
import { tokenIssuerNoun, tokenRevocationNoun } from './nouns.ts'
import { conflict, defineTable } from './record-table.ts'
import { createRecord } from './record-writes.ts'
import { createRecords } from './records.ts'
import type { Session } from './session.ts'

function placesOf({ issuer, terms }: TokenIssuer): readonly string[] {
  const { introspection, audiences } = terms
  if (introspection !== null) return [`opaque ${introspection.tokenPrefix}`]
  return [...new Set(audiences)].map((audience) => `jwt ${issuer} ${audience}`)
}

async function writePlaces(session: Session, issuer: TokenIssuer): Promise<void> {
  const owner = { organization_id: issuer.organizationId, issuer_id: issuer.id }
  await session.db
    .deleteFrom('token_issuer_places')
    .where('organization_id', '=', issuer.organizationId)
    .where('issuer_id', '=', issuer.id)
    .execute()
  const places = placesOf(issuer)
  const taken = await session.db
    .selectFrom('token_issuer_places')
    .select('place')
    .where('place', 'in', places)
    .executeTakeFirst()
  if (taken !== undefined) throw conflict(tokenIssuerNoun.noun, String(taken['place']))
  const rows = places.map((place) => ({ ...owner, place }))
  await session.run(
    () => session.db.insertInto('token_issuer_places').values(rows).execute(),
    (kind) => (kind === 'unique' ? conflict(tokenIssuerNoun.noun, issuer.name) : null),
  )
}

export const tokenIssuerRecords = defineTable(tokenIssuerNoun, {
  columns: ({ credential }) => ({
    credential_id: credential.kind === 'sealed' ? credential.credentialId : null,
  }),
  afterWrite: writePlaces,
})

export function createTokenIssuerTable(session: Session): TokenIssuerTable {
  return createRecords<TokenIssuer, TokenIssuerPatch, object>(session, tokenIssuerRecords)
}

async function makeRoom(session: Session, { organizationId, createdAt }: TokenRevocation): Promise<void> {
  await session.db
    .deleteFrom('token_revocations')
    .where('organization_id', '=', organizationId)
    .where('expires_at', '<=', createdAt)
    .execute()
  const { count } = await session.db
    .selectFrom('token_revocations')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('organization_id', '=', organizationId)
    .executeTakeFirstOrThrow()
  if (Number(count) < revocationLimit) return
  const reason = `an organization has at most ${revocationLimit} revocations; revoke all tokens of the issuer`
  throw new Fault(faults.validation, { public: { reason } })
}

const revocationRecords = defineTable(tokenRevocationNoun, {
  columns: (_record, version) => ({ changed_version: version }),
  beforeWrite: makeRoom,
})

export function createTokenRevocationTable(session: Session): TokenRevocationTable {
  const { list } = createRecords<TokenRevocation, never, object>(session, revocationRecords)
  return { list, create: (record) => createRecord(session, revocationRecords, record) }
}

export async function readRevocationsSince(
  session: Session,
  version: number,
): Promise<readonly TokenRevocation[]> {
  const all: TokenRevocation[] = []
  let after = version
  for (;;) {
    const rows = await session.db
      .selectFrom('token_revocations')
      .selectAll()
      .where('changed_version', '>', after)
      .orderBy('changed_version')
      .limit(pageLimit.max)
      .execute()
    for (const row of rows) all.push(revocationRecords.codec.decode(row))
    if (rows.length < pageLimit.max) return all
    after = Number(rows.at(-1)?.['changed_version'])
  }
}
