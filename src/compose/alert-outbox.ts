/**
 * Alerts of limits on their way to the control plane. What is not acknowledged is sent again to the next control
 * plane: raising an alert twice raises it once. Bound: `maxHeld`; what comes beyond it is dropped and counted.
 */
import type { LimitAlertSighting } from '../domain/limit-alert.ts'

export interface AlertMessage {
  readonly type: 'alert'
  readonly sequence: number
  readonly sighting: LimitAlertSighting
  /** Alerts dropped since the last message. */
  readonly dropped: number
}

export interface AlertOutbox {
  add(sighting: LimitAlertSighting): void
  /** The control plane is done with this one. */
  acknowledge(sequence: number): void
  connect(send: (message: AlertMessage) => void): void
}

const defaultMaxHeld = 500

export function createAlertOutbox(maxHeld: number = defaultMaxHeld): AlertOutbox {
  const held = new Map<number, LimitAlertSighting>()
  let send: ((message: AlertMessage) => void) | null = null
  let sequence = 0
  let dropped = 0

  function dispatch(number: number, sighting: LimitAlertSighting): void {
    if (send === null) return
    send({ type: 'alert', sequence: number, sighting, dropped })
    dropped = 0
  }

  return {
    add(sighting) {
      if (held.size >= maxHeld) {
        dropped += 1
        return
      }
      sequence += 1
      held.set(sequence, sighting)
      dispatch(sequence, sighting)
    },
    acknowledge(number) {
      held.delete(number)
    },
    connect(sender) {
      send = sender
      for (const [number, sighting] of held) dispatch(number, sighting)
    },
  }
}
