// Writes docs/reference/openapi.json, the golden description of the admin API: a changed contract is a visible diff.
// With --check, writes nothing and exits 1 where the file differs.

import { describeAdminApi } from './describe-admin-api.ts'
import { writeGenerated } from './write-generated.ts'

writeGenerated('docs/reference/openapi.json', await describeAdminApi())
