import { type GivenIssuer, givenIssuerFields, writeTokenTerms } from '../../../config/index.ts'
import type { TokenIssuer, TokenTerms } from '../../../domain/token-issuer.ts'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import { admitCredential, dropCredential, storeCredential } from '../../deployment-credential.ts'
import { updateOperation } from '../../resource.ts'
import { givenCredential } from '../../resources/deployments.ts'
import { admitTerms, checkTokenTerms, tokenIssuers } from '../../resources/token-issuers.ts'

const { name: _name, ...changeable } = givenIssuerFields

/** A stored secret never follows to another endpoint. @throws Fault `credentialNeeded` */
function requireSameEndpoint(before: TokenIssuer, after: TokenTerms): void {
  const moved = before.terms.introspection?.endpoint !== after.introspection?.endpoint
  if (moved && after.introspection !== null && before.credential.kind !== 'none')
    throw new Fault(faults.credentialNeeded, { param: 'credential' })
}

export const tokenIssuerUpdate = updateOperation(tokenIssuers, {
  description:
    'Fields left out stay as they are. Where the introspection endpoint changes, the credential must be given again.',
  body: { ...changeable, credential: givenCredential },
  faults: ['credentialNeeded', 'organizationBound', 'conflict'],
  async change(ctx, record, { fields: { credential: given, enabled, ...fields }, terms }) {
    const { organizationId, id } = record
    const before = { name: record.name, issuer: record.issuer, ...writeTokenTerms(record.terms) }
    const whole = { ...before, ...fields } as GivenIssuer
    const next = checkTokenTerms(whole)
    admitTerms(ctx, next)
    if (given === undefined) requireSameEndpoint(record, next)
    const patch = { issuer: whole.issuer, terms: next, ...(enabled === undefined ? {} : { enabled }) }
    if (given === undefined)
      return ctx.deps.store.tokenIssuers.update(organizationId, id, { patch, ...terms })
    admitCredential(ctx, given)
    const credential = await storeCredential(ctx, organizationId, given)
    return ctx.deps.store.transaction(async (tables) => {
      await credential.save(tables)
      const own = { ...patch, credential: credential.source }
      const changed = await tables.tokenIssuers.update(organizationId, id, { patch: own, ...terms })
      await dropCredential(tables, record)
      return changed
    })
  },
})
