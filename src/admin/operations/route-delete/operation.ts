import { removeOperation } from '../../resource.ts'
import { routes } from '../../resources/routes.ts'

export const routeDelete = removeOperation(routes)
