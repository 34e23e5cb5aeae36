// Writes docs/reference/cli.md from the commands of the command line. With --check, writes nothing and exits 1 where
// the file differs.

import { writeCliReference } from '../src/cli/write-reference.ts'
import { writeGenerated } from './write-generated.ts'

writeGenerated('docs/reference/cli.md', writeCliReference())
