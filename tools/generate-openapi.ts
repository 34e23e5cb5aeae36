// Writes docs/reference/openapi.json, the golden description of the admin API: a changed contract is a visible diff.
// With --check, writes nothing and exits 1 where the file differs.

import { describeApi } from '../src/admin/describe-api.ts'
import { writeGenerated } from './write-generated.ts'

const document = await describeApi()
writeGenerated('docs/reference/openapi.json', `${JSON.stringify(document, null, 2)}\n`)
