import { getOperation } from '../../resource.ts'
import { applications } from '../../resources/applications.ts'

export const applicationGet = getOperation(applications)
