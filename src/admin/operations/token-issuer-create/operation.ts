import { Type } from 'typebox'
import { givenIssuerFields } from '../../../config/index.ts'
import { admitCredential, storeCredential } from '../../deployment-credential.ts'
import { createOperation } from '../../resource.ts'
import { givenCredential } from '../../resources/deployments.ts'
import { admitTerms, checkTokenTerms, tokenIssuers } from '../../resources/token-issuers.ts'
import { closed } from '../../schemas.ts'

export const tokenIssuerCreate = createOperation(tokenIssuers, {
  description:
    'Its tokens are taken from the next request on. Introspection and private networks take an unbound `admin` token.',
  body: closed({ ...givenIssuerFields, credential: Type.Optional(givenCredential) }),
  faults: ['organizationBound'],
  build(ctx, _organization, { credential = null, ...given }) {
    const terms = checkTokenTerms(given)
    admitTerms(ctx, terms)
    admitCredential(ctx, credential)
    const { name, issuer, enabled = true } = given
    return { name, issuer, enabled, terms, credential: { kind: 'none' as const } }
  },
  async store(ctx, record, body) {
    const credential = await storeCredential(ctx, record.organizationId, body.credential ?? null)
    return ctx.deps.store.transaction(async (tables) => {
      await credential.save(tables)
      return tables.tokenIssuers.create({ ...record, credential: credential.source })
    })
  },
})
