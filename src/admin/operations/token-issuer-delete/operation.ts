import { dropCredential } from '../../deployment-credential.ts'
import { removeOperation } from '../../resource.ts'
import { tokenIssuers } from '../../resources/token-issuers.ts'

/** Exchanges of its tokens end; its revocations and its sealed credential go with it. */
export const tokenIssuerDelete = removeOperation(tokenIssuers, (ctx, record) =>
  dropCredential(ctx.deps.store, record),
)
