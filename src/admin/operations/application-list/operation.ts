import { listOperation } from '../../resource.ts'
import { applications } from '../../resources/applications.ts'

export const applicationList = listOperation(applications)
