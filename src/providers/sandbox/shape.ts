/** The parts of a dialect that a sandbox answer needs; legacy completions have them too, without being a dialect. */
import type { Dialect } from '../dialect.ts'

export type Shape = Pick<
  Dialect,
  'readRequest' | 'writeResponse' | 'streamWriter' | 'writeError' | 'writeStreamError'
>
