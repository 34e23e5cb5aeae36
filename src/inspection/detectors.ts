/** Every detector by the name that guards call it. */
import type { Detector } from './detector.ts'
import { secrets } from './secrets/detector.ts'

export const detectors: ReadonlyMap<string, Detector> = new Map([secrets].map((each) => [each.id, each]))
