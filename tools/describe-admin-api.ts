// The description of the admin API as the product serves it, without anything that runs.

import { describeApi } from '../src/admin/api-description.ts'
import type { AdminDependencies } from '../src/admin/context.ts'
import { createAdminApi } from '../src/admin/create-admin-api.ts'

/** OpenAPI 3.1 as indented JSON. No operation is called, so none of the dependencies is needed. */
export async function describeAdminApi(): Promise<string> {
  const app = await createAdminApi({} as AdminDependencies)
  await app.ready()
  const document = describeApi(app)
  await app.close()
  return document
}
