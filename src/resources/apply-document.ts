/** Documents in and out: `gatewright.yaml` at start and on reload, `apply`, `diff` and `export` by the admin API. */
import {
  ConfigError,
  type ConfigProblem,
  describeProblem,
  joinPath,
  parseResources,
  type ResourceDocument,
} from '../config/index.ts'
import { faults } from '../faults/catalogue.ts'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import type { Store } from '../ports/store.ts'
import { type DesiredOrganization, readDesired } from './desired.ts'
import { exportDocument } from './export-document.ts'
import { type ReconcileOptions, type ResourceChange, ResourceRefusal, reconcile } from './reconcile.ts'

/** Thrown inside a transaction to undo it after its changes were noted. */
class DryRun extends Error {
  readonly changes: readonly ResourceChange[]
  constructor(changes: readonly ResourceChange[]) {
    super('dry run')
    this.changes = changes
  }
}

/** A document whose schema holds, with where it came from. */
export interface DocumentSource {
  readonly document: ResourceDocument
  readonly file: string
  /** Line of a path such as `['models', 0]`; 0 where none is known. */
  readonly lineOf: (path: readonly (string | number)[]) => number
}

/** @throws ConfigError naming the place of every mistake */
function desiredOf({ document, file, lineOf }: DocumentSource): DesiredOrganization[] {
  const problems: ConfigProblem[] = []
  const desired = readDesired(document, (path, reason) => {
    problems.push({ file, line: lineOf(path), path: joinPath(path), reason })
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return desired
}

/** Which list of a document holds a noun, and what its entries are called by. */
const places: Readonly<Record<string, readonly [list: keyof ResourceDocument, name: 'slug' | 'name']>> = {
  deployment: ['deployments', 'slug'],
  model: ['models', 'name'],
  product: ['products', 'slug'],
  plan: ['plans', 'slug'],
  limit: ['limits', 'name'],
  guard: ['guards', 'name'],
  policy: ['policies', 'slug'],
  application: ['applications', 'slug'],
  'token issuer': ['tokenIssuers', 'name'],
}

/** A refusal as a problem with its place in the document. */
function problemOf(refusal: ResourceRefusal, { document, file, lineOf }: DocumentSource): ConfigProblem {
  const reason = refusal.publicText
  const place = places[refusal.noun]
  if (place === undefined) return { file, line: 0, path: '', reason }
  const [list, name] = place
  const entries: readonly Readonly<Record<string, unknown>>[] = document[list] ?? []
  const index = entries.findIndex((entry) => entry[name] === refusal.resource)
  if (index < 0) return { file, line: 0, path: list, reason }
  return { file, line: lineOf([list, index]), path: joinPath([list, index]), reason }
}

/** Bring the store to a document, all or nothing. @throws ConfigError with file, line, path and reason */
export async function applyDocument(
  store: Store,
  source: DocumentSource,
  options: ReconcileOptions,
): Promise<readonly ResourceChange[]> {
  const desired = desiredOf(source)
  return placed(source, () => applyDesired(store, desired, options))
}

async function placed<T>(source: DocumentSource, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof ResourceRefusal) throw new ConfigError([problemOf(error, source)])
    throw error
  }
}

/** Bring the store to the document, all or nothing. */
export async function applyDesired(
  store: Store,
  desired: readonly DesiredOrganization[],
  options: ReconcileOptions,
): Promise<readonly ResourceChange[]> {
  return store.transaction((tables) => reconcile(tables, desired, options))
}

/** What applying would change. Runs the very same code and undoes it. */
export async function diffDesired(
  store: Store,
  desired: readonly DesiredOrganization[],
  options: ReconcileOptions,
): Promise<readonly ResourceChange[]> {
  try {
    await store.transaction(async (tables) => {
      throw new DryRun(await reconcile(tables, desired, options))
    })
  } catch (error) {
    if (error instanceof DryRun) return error.changes
    throw error
  }
  return []
}

export interface DocumentManager {
  diff(document: string): Promise<readonly ResourceChange[]>
  apply(document: string): Promise<readonly ResourceChange[]>
  export(): Promise<string>
}

/**
 * The `config-*` operations of the admin API.
 * @param fileManaged true while the server's own `gatewright.yaml` holds objects: it alone manages then
 */
export function createDocumentManager(parts: {
  readonly store: Store
  readonly clock: Clock
  readonly fileManaged: () => boolean
  readonly checkDeployment?: ReconcileOptions['checkDeployment']
}): DocumentManager {
  const check = parts.checkDeployment === undefined ? {} : { checkDeployment: parts.checkDeployment }
  const options = (): ReconcileOptions => ({ managedBy: 'file', now: parts.clock.now(), ...check })
  return {
    diff: (document) =>
      asFaults(async () => {
        const source = readSource(document)
        const desired = desiredOf(source)
        return placed(source, () => diffDesired(parts.store, desired, options()))
      }),
    async apply(document) {
      if (parts.fileManaged()) {
        throw new Fault(faults.readOnly, {
          public: { noun: 'configuration', manager: 'gatewright.yaml of the server' },
        })
      }
      return asFaults(() => applyDocument(parts.store, readSource(document), options()))
    },
    export: () => parts.store.transaction(exportDocument),
  }
}

const documentName = 'document'

function readSource(text: string): DocumentSource {
  const { value, lineOf } = parseResources(text, documentName)
  return { document: value, file: documentName, lineOf }
}

/** Problems of a document as the admin API's fault. */
async function asFaults<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const reason = error.problems.slice(0, 3).map(describeProblem).join('; ')
    throw new Fault(faults.configInvalid, { public: { reason } })
  }
}
