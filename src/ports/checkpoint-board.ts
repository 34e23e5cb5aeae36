/**
 * Port: what nodes that share a store show each other of their audit logs. Each writes its own rows alone. Bound:
 * `maxPosted` rows are read; a node has one for each log that it knows.
 */
export const maxPosted = 10_000

export interface PostedCheckpoint {
  /** Origin of the log of the node that wrote it. */
  readonly keeper: string
  /** Origin of the log that it is of; of the own one where it is the same. */
  readonly log: string
  /** Signed note, with the signature of the keeper. */
  readonly note: string
  /** Verifier keys of the log. */
  readonly keys: readonly string[]
  /** Of the own log: by keeper, the consistency proof from what it keeps to the note. */
  readonly offers: Readonly<Record<string, string>>
}

export interface CheckpointBoard {
  /** In the place of what the same keeper posted of the same log. */
  post(posted: PostedCheckpoint): Promise<void>
  list(): Promise<readonly PostedCheckpoint[]>
}
