/**
 * The audit log: what somebody did, in a Merkle tree that nobody can change unseen.
 *
 *   AuditTrail   events → entries, personal fields sealed by subject
 *   TileLog      entries → tiles and signed checkpoints (C2SP tlog-tiles), group commits
 *   verifyLog, proveEntry, checkProof   with files and verifier keys alone
 */
export { type AuditFigures, type AuditTrail, createAuditTrail, type OpenedTrail } from './audit-trail.ts'
export { checkGrowth, isConsistencyProof, proveGrowth } from './consistency-proof.ts'
export { createDenialBook, type DenialBook } from './denial-book.ts'
export type { AuditDetails } from './entry.ts'
export { type KeptCheckpoint, readKeptCheckpoints } from './kept-checkpoints.ts'
export { LogDamage } from './log-reader.ts'
export { exchangeCheckpoints, type PeerTrouble } from './peer-checkpoints.ts'
export { checkProof, proveEntry, readEntries } from './proof.ts'
export { formatVerifierKey, NoteError, parseVerifierKey, type VerifierKey } from './signed-note.ts'
export { isSealedBefore, openSigningKeys, rewrapSigningKeys, verifierKeysFile } from './signing-keys.ts'
export { openSubjectKeys, readSubjectKeys } from './subject-keys.ts'
export { guardFile, openTileLog } from './tile-log.ts'
export { verifyLog } from './verify-log.ts'
