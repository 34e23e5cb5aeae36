/** Token issuers that an organization trusts. A client secret goes in and never comes out. */
import { Type } from 'typebox'
import {
  type GivenIssuer,
  givenIssuerFields,
  joinPath,
  readTokenTerms,
  writeTokenTerms,
} from '../../config/index.ts'
import type { TokenIssuer, TokenTerms } from '../../domain/token-issuer.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { requireInstallationAdmin } from '../access.ts'
import type { AdminContext } from '../context.ts'
import type { Resource } from '../resource.ts'
import { closed, named, nullable, storedFields, time } from '../schemas.ts'
import { showFields } from '../show-fields.ts'
import { showCredential, shownCredential } from './deployments.ts'

const shownKeys = closed(
  {
    fetchedAt: nullable(time, 'When they were fetched last; null: never.'),
    keyIds: Type.Array(Type.String(), { description: 'Ids of the keys.' }),
    problem: nullable(Type.String(), 'Why the last fetch gave nothing; null: it did.'),
  },
  'Its keys as the node that answers has them.',
)

const view = named(
  'TokenIssuer',
  {
    ...storedFields,
    organizationId: Type.String(),
    ...givenIssuerFields,
    credential: shownCredential,
    keys: nullable(shownKeys, 'Null: no keys are fetched for it.'),
  },
  'Who else may say who a caller is.',
)

export const tokenIssuers: Resource<TokenIssuer, typeof view> = {
  noun: 'token issuer',
  plural: 'token issuers',
  idPrefix: 'tis',
  uniqueName: 'name',
  view,
  table: (tables) => tables.tokenIssuers,
  show(record, deps) {
    const keys = deps.tokenKeys(record.id)
    return showFields(view)({
      ...record,
      ...writeTokenTerms(record.terms),
      credential: showCredential(record.credential),
      keys: keys === null ? null : { ...keys, keyIds: [...keys.keyIds] },
    })
  },
}

/** @throws 400 for the first problem */
export function checkTokenTerms(given: GivenIssuer): TokenTerms {
  return readTokenTerms(given, (path, reason) => {
    const field = joinPath(path)
    throw new Fault(faults.invalidField, { public: { field, reason }, param: field })
  })
}

/**
 * An opaque token tells nobody whose it is, so whoever may add an introspection endpoint may come to see the tokens of
 * others: that, and private networks, are for an administrator of the installation.
 */
export function admitTerms(ctx: AdminContext, terms: TokenTerms): void {
  if (terms.introspection !== null || terms.allowPrivateNetwork) requireInstallationAdmin(ctx)
}
