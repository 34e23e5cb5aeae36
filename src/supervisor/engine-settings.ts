/**
 * Settings of V8 for the whole process, made before the first thread starts.
 *
 * Where V8 has once seen most objects of an allocation site outlive a scavenge (a burst, a pause of the machine), it
 * allocates that site's objects in the old generation from then on. What an exchange puts there keeps the rest of the
 * exchange alive, so most objects outlive the next scavenge too, and it never ends: measured, a worker spends a quarter
 * of its time on copying the dead (scavenges of 12 to 80 ms instead of 0.4) until it is started again. Objects of a
 * gateway are either short-lived or as old as the snapshot; guessing in between gains nothing.
 */
import { setFlagsFromString } from 'node:v8'

export function settleEngine(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
