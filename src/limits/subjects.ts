/** What a counter stands for, as text: the values of its rule's subjects, joined by `|`. */
import { createHash } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import type { LimitSubject } from '../domain/limits.ts'
import type { LimitRequest } from './limit-request.ts'

/** Names of counters are bounded (ports/node-counters.ts). */
const maxKeyLength = 120

/** The subject string of a counter; '' where one counter is for all. */
export function subjectOf(per: readonly LimitSubject[], request: LimitRequest): string {
  const first = per[0]
  if (first === undefined) return ''
  if (per.length === 1) return readSubject(first, request)
  let text = readSubject(first, request)
  for (let index = 1; index < per.length; index += 1) {
    text += `|${readSubject(per[index] ?? first, request)}`
  }
  return text
}

function readSubject(subject: LimitSubject, request: LimitRequest): string {
  switch (subject) {
    case 'organization':
      return request.organizationId
    case 'team':
      return escapeValue(request.team)
    case 'application':
      return request.applicationId
    case 'key':
      return request.keyId
    case 'user':
      // A bare percent sign is in no escaped value, so no user can pass for a key.
      return request.user === '' ? `%key=${request.keyId}` : escapeValue(request.user)
    case 'address':
      return networkOf(request.address)
    case 'model':
      return escapeValue(request.model)
    case 'route':
      return escapeValue(request.route)
  }
}

/** So that two lists of values never make one text. */
function escapeValue(value: string): string {
  if (!value.includes('|') && !value.includes('%')) return value
  return value.replaceAll('%', '%25').replaceAll('|', '%7C')
}

/** Version 4 whole, version 6 by its /64: a household or a server has that many addresses for itself. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  if (!ipaddr.isValid(address)) return escapeValue(address)
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const groups = (parsed as ipaddr.IPv6).parts.slice(0, 4).map((group) => group.toString(16))
  return `${groups.join(':')}::/64`
}

/** Name of a counter among the central counters. The organization is its hash tag. */
export function counterKeyOf(organizationId: string, ruleId: string, subject: string): string {
  const key = `{${organizationId}}${ruleId}:${subject}`
  if (key.length <= maxKeyLength && isPrintableAscii(key)) return key
  const digest = createHash('sha256').update(`${ruleId}:${subject}`).digest('base64url')
  return `{${organizationId}}#${digest}`
}

function isPrintableAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}
