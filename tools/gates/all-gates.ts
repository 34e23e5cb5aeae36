// Every gate, in the order of the report. Those that run for long come first: two run at a time.

import { clones } from './clones.ts'
import { consoleCalls } from './console-calls.ts'
import { deadCode } from './dead-code.ts'
import { defaultExports } from './default-exports.ts'
import { documents } from './documents.ts'
import { environment } from './environment.ts'
import { exemptionsInUse } from './exemptions-in-use.ts'
import { formatAndLint } from './format-and-lint.ts'
import type { Gate } from './gate.ts'
import { generatedFiles } from './generated-files.ts'
import { layers } from './layers.ts'
import { installScriptsGate, licences, lockfile } from './lockfile.ts'
import { regexes } from './regexes.ts'
import { sizes } from './sizes.ts'
import { typeEscapes } from './type-escapes.ts'
import { types } from './types.ts'
import { words } from './words.ts'

export const allGates: readonly Gate[] = [
  types,
  regexes,
  formatAndLint,
  layers,
  deadCode,
  clones,
  sizes,
  typeEscapes,
  defaultExports,
  environment,
  consoleCalls,
  licences,
  installScriptsGate,
  lockfile,
  words,
  documents,
  generatedFiles,
  exemptionsInUse,
]
