/** Proof for a receiver that a body is ours and fresh: `t=<Unix seconds>,v1=<hexadecimal HMAC-SHA-256 of "<t>.<body>">`. */
import { createHmac } from 'node:crypto'

export const webhookSignatureHeader = 'x-gatewright-signature'

export function signWebhook(secret: string, body: string, seconds: number): string {
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return `t=${seconds},v1=${digest}`
}
