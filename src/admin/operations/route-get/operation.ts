import { getOperation } from '../../resource.ts'
import { routes } from '../../resources/routes.ts'

export const routeGet = getOperation(routes)
