/** What the operations `config-*` need: objects of a document compared with, or brought into, the store. */

/** One difference between a document and the store. */
export interface ConfigurationChange {
  readonly action: 'create' | 'update' | 'remove'
  readonly noun: string
  /** Slug, route name or `application/product`. */
  readonly name: string
  readonly organization: string
  /** Names of the fields that differ; empty unless `update`. */
  readonly fields: readonly string[]
}

export interface ConfigurationManager {
  /**
   * Differences, without changing anything.
   * @throws Fault `faults.configInvalid` naming line, path and reason
   */
  diff(document: string): Promise<readonly ConfigurationChange[]>
  /** Make the store hold what the document says, all or nothing; the records become read-only elsewhere. */
  apply(document: string): Promise<readonly ConfigurationChange[]>
  /** The objects of the store as a document that `apply` takes; secrets are left out. */
  export(): Promise<string>
}
