/** Alerts of limits, kept and sent to the receiver of the operator; what owners of keys have to know is sent there, too. */
import { systemClock } from '../kernel/clock.ts'
import type { LimitAlerts } from '../ports/limit-alerts.ts'
import type { Log } from '../supervisor/log.ts'
import { type AlertIntake, openAlertIntake } from './alert-intake.ts'
import { type AlertWebhook, type AlertWebhookOptions, createAlertWebhook } from './alert-webhook.ts'

export interface ToldAlertsParts extends Pick<AlertWebhookOptions, 'client' | 'settings' | 'readReference'> {
  readonly alerts: LimitAlerts
  /** Told what was not delivered. */
  readonly failed: (text: string) => void
  readonly log: Log
}

export type ToldAlerts = AlertIntake & Pick<AlertWebhook, 'post'>

export function openToldAlerts({ alerts, failed, log, ...parts }: ToldAlertsParts): ToldAlerts {
  const { now } = systemClock
  const webhook = createAlertWebhook({ ...parts, now, log: failed })
  const intake = openAlertIntake({ alerts, raised: (alert) => webhook.send(alert), now, log })
  return {
    add: (message, done) => intake.add(message, done),
    post: (message) => webhook.post(message),
    async close() {
      await intake.close()
      webhook.close()
    },
  }
}
