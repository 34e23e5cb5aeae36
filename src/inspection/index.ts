/**
 * Content safety: what the texts of an exchange hold, and what becomes of it. Guards say what is looked for, where,
 * and what happens (domain/guards.ts); detectors look; bodies and streams carry what was decided back to where it
 * stood.
 *
 *   body ── bodyTexts ──▶ text, place ── judgeText ──▶ verdict ──▶ the body, with masks in place
 *   events ───────────▶ one GuardedText per part ──────────────▶ events
 *   text ── foldText, decodedViews ──▶ views ── Detector.scan ──▶ matches, at places of the original
 *
 * Everything is linear in what is looked at, holds bounded memory, and gives way between pieces of 16 KiB.
 */
export { findGuardProblem } from './check-guard.ts'
export { compileGuardSet, type GuardSet } from './guard-set.ts'
export { type InspectedBody, inspectBody } from './inspect-body.ts'
export { inspectStream } from './inspect-stream.ts'
export { mostFindings } from './judge-text.ts'
export { createVerdictCache, type VerdictCache } from './verdict-cache.ts'
