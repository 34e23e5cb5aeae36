import { listOperation } from '../../resource.ts'
import { routes } from '../../resources/routes.ts'

export const routeList = listOperation(routes)
