/**
 * Port: seals secrets for storage. Asynchronous, because a key management service may stand behind it.
 *
 * A sealed text is bound to its context (for example `credential:cred_3fQ…`): it opens under that context only, so
 * a sealed text moved to another record is refused. Bound: plaintext of at most `maxPlaintextBytes`.
 */

/** Bytes. */
export const maxPlaintextBytes = 64 * 1024

export interface SecretBox {
  /** Printable text `gwe1.…`; the same plaintext never seals twice to the same text. */
  seal(plaintext: string | Uint8Array, context: string): Promise<string>
  /** Fault `faults.secretUnreadable` when altered, moved to another context, or sealed under a lost key. */
  open(sealed: string, context: string): Promise<Buffer>
  /** Wraps the data key anew under the current root key; the sealed content keeps its bytes. */
  rewrap(sealed: string, context: string): Promise<string>
  /** True when `sealed` stands under an older root key. */
  needsRewrap(sealed: string): boolean
}
