import { getOperation } from '../../resource.ts'
import { tokenIssuers } from '../../resources/token-issuers.ts'

export const tokenIssuerGet = getOperation(tokenIssuers)
