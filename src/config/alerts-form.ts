/** How `alerts` is written in `gatewright.yaml`: where alerts of limits and of keys are sent besides the log and the admin API. */
import { Type } from 'typebox'
import { parseOrigin } from '../egress/index.ts'
import { Fault } from '../kernel/fault.ts'

export const alertsFields = {
  webhook: Type.Optional(
    Type.Object(
      {
        url: Type.String({
          description: 'Receives a signed POST for each alert: `https://host[:port][/path]`, without query.',
          maxLength: 2048,
        }),
        secret: Type.String({
          description: 'Where the secret that signs is read from: `env:NAME` or `file:/absolute/path`.',
          pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$',
        }),
        allowPrivateNetwork: Type.Boolean({
          description: 'Let the host resolve to private or loopback addresses, and let the URL be http:.',
          default: false,
        }),
      },
      { additionalProperties: false, description: 'A receiver of alerts. None by default.' },
    ),
  ),
}

export interface AlertWebhookConfig {
  readonly url: string
  readonly secret: string
  readonly allowPrivateNetwork: boolean
}

interface AlertsConfig {
  readonly alerts: { readonly webhook?: AlertWebhookConfig }
}

/** What the schema cannot say. */
export function alertProblems({ alerts }: AlertsConfig): { path: string[]; reason: string }[] {
  if (alerts.webhook === undefined) return []
  const parsed = parseOrigin(alerts.webhook.url, alerts.webhook)
  if (!(parsed instanceof Fault)) return []
  return [{ path: ['alerts', 'webhook', 'url'], reason: `is refused: ${parsed.publicText}` }]
}
