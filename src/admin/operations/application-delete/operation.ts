import { removeOperation } from '../../resource.ts'
import { applications } from '../../resources/applications.ts'

/** Refused while subscriptions or keys refer to the application. */
export const applicationDelete = removeOperation(applications)
