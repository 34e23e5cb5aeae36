/**
 * An event as a line of the Common Event Format, version 0 of ArcSight's implementation standard. In the header `\` and
 * `|` are escaped, in the extension `\` and `=`; line ends and other control characters are spaces by then (`plainText`).
 */
import { isIPv6 } from 'node:net'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { plainText } from '../domain/plain-text.ts'
import { type Fact, factsOf, messageOf, product, severityNumbers } from './event-facts.ts'

/** Keys of the dictionary of CEF for our facts; custom ones have a label that names them. */
const keys: Readonly<Record<string, string>> = Object.freeze({
  id: 'externalId',
  stream: 'cat',
  outcome: 'outcome',
  count: 'cnt',
  reason: 'reason',
  actor: 'suid',
  endUser: 'suser',
  requestBytes: 'in',
  responseBytes: 'out',
  organization: 'cs1',
  application: 'cs2',
  model: 'cs3',
  provider: 'cs4',
  request: 'cs5',
  trace: 'cs6',
  status: 'cn1',
  inputTokens: 'cn2',
  outputTokens: 'cn3',
  resource: 'duid',
})
const labelled = /^c[sn]\d$/

export function cefLine(event: OversightEvent): string {
  const header = [product.vendor, product.name, product.version, plainText(event.action), messageOf(event)]
  const extension = [`rt=${event.time}`, ...factsOf(event).flatMap(extensionOf)]
  return `CEF:0|${header.map(escapeHeader).join('|')}|${severityNumbers[event.severity]}|${extension.join(' ')}`
}

function extensionOf([name, value]: Fact): string[] {
  if (name === 'address') return addressOf(String(value))
  const key = keys[name]
  if (key === undefined) return []
  const pair = `${key}=${escapeExtension(String(value))}`
  return labelled.test(key) ? [pair, `${key}Label=${name}`] : [pair]
}

/** `src` holds IPv4 alone; IPv6 has a custom field of its own. */
function addressOf(address: string): string[] {
  if (!isIPv6(address)) return [`src=${escapeExtension(address)}`]
  return [`c6a2=${escapeExtension(address)}`, 'c6a2Label=Source IPv6 Address']
}

function escapeHeader(text: string): string {
  return text.replace(/[\\|]/g, '\\$&')
}

function escapeExtension(text: string): string {
  return text.replace(/[\\=]/g, '\\$&')
}
