// Every exemption from a gate, in one place, with its reason. The gate `exemptions` reports an entry
// whose file or package is gone, so that the list does not outlive what it excuses.

/** An exemption: what it names (a path, a package, a pattern) and why. */
export type Exemption = { readonly name: string; readonly reason: string }

/** Files that may be longer than the limit: tables of data, one row after another. */
export const longFiles: readonly Exemption[] = []

/** Functions that may take more parameters: one row of an aligned table, a column each. `path#name`. */
export const rowBuilders: readonly Exemption[] = [
  { name: 'src/faults/entry.ts#entry', reason: 'a row of the table of faults' },
  { name: 'src/domain/operations.ts#row', reason: 'a row of the table of operations' },
  { name: 'src/gateway/pipeline.ts#row', reason: 'a row of the pipeline' },
  { name: 'src/gateway/pipeline.ts#finish', reason: 'a row of the pipeline' },
]

/** Packages whose licence is not on the allow-list. Only packages for development may be here. */
export const packageLicences: readonly Exemption[] = [
  {
    name: 'axe-core',
    reason: 'MPL-2.0; runs unmodified inside browser tests, never shipped',
  },
]

/** Packages with an install script. Only packages for development may be here; npm never runs it. */
export const installScripts: readonly Exemption[] = [
  {
    name: 'protobufjs',
    reason: 'of @google/genai, a client in tests; prints a notice on install, which .npmrc turns off',
  },
]

/** Source files that build regular expressions from data, and how these are proven safe instead. */
export const regexesFromData: readonly Exemption[] = []

/** Regular expressions that recheck cannot prove linear, by source text, with the bound that makes them safe. */
export const regexesBounded: readonly Exemption[] = []

/** Files that may read process.env. */
export const environmentReaders: readonly Exemption[] = [
  { name: 'src/config/load.ts', reason: 'the one place where the environment enters the product' },
]
