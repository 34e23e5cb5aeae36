/** Alerts of limits: kept, and sent to the receiver of the operator. */
import { systemClock } from '../kernel/clock.ts'
import type { LimitAlerts } from '../ports/limit-alerts.ts'
import type { Log } from '../supervisor/log.ts'
import { type AlertIntake, openAlertIntake } from './alert-intake.ts'
import { type AlertWebhookOptions, createAlertWebhook } from './alert-webhook.ts'

export interface ToldAlertsParts extends Pick<AlertWebhookOptions, 'client' | 'settings' | 'readReference'> {
  readonly alerts: LimitAlerts
  /** Told what was not delivered. */
  readonly failed: (text: string) => void
  readonly log: Log
}

export function openToldAlerts({ alerts, failed, log, ...parts }: ToldAlertsParts): AlertIntake {
  const { now } = systemClock
  const webhook = createAlertWebhook({ ...parts, now, log: failed })
  const intake = openAlertIntake({ alerts, raised: (alert) => webhook.send(alert), now, log })
  return {
    add: (message, done) => intake.add(message, done),
    async close() {
      await intake.close()
      webhook.close()
    },
  }
}
