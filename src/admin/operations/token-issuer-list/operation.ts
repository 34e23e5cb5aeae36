import { listOperation } from '../../resource.ts'
import { tokenIssuers } from '../../resources/token-issuers.ts'

export const tokenIssuerList = listOperation(tokenIssuers)
