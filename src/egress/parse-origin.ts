/**
 * Base URLs of deployments: from operator-written text to an origin that egress can pin. Two parsers that read
 * one URL differently are how hosts get smuggled, so whatever the WHATWG parser would repair (backslashes,
 * percent-encoded hosts, octal addresses, dot segments, tabs) is refused instead, not normalised.
 * Bound: 2,048 characters.
 */

import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { EgressPolicy } from '../ports/egress.ts'
import type { UpstreamOrigin } from '../ports/upstream-client.ts'
import { classifyAddress, isAddressAllowed } from './classify-address.ts'

export interface ParsedOrigin {
  readonly origin: UpstreamOrigin
  /** `''`, or a path that begins with `/` and does not end with one. */
  readonly basePath: string
}

const maxUrlLength = 2048
const maxSettingLength = 256

/** Scheme, authority, path; the path takes only characters that need no repair (RFC 3986 pchar without `%`). */
const shape = /^(https?):\/\/([^/?#\\@\s]+)(\/[A-Za-z0-9\-._~!$&'()*+,;=:@/]*)?$/
const authorityShape = /^(\[[0-9a-fA-F:.]+\]|[^:[\]%]+)(?::([0-9]{1,5}))?$/
const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const numericLabel = /^(?:[0-9]+|0x[0-9a-f]*)$/

function refuse(reason: string): Fault {
  return new Fault(faults.invalidField, { public: { field: 'baseUrl', reason }, param: 'baseUrl' })
}

/** Lower-case ASCII host without brackets, or the reason why there is none. */
function parseHost(raw: string): { readonly host: string } | string {
  if (raw.startsWith('[')) {
    const address = raw.slice(1, -1)
    return isIPv6(address) ? { host: address.toLowerCase() } : 'the IPv6 address is malformed'
  }
  if (isIPv4(raw)) return { host: raw }
  const host = domainToASCII(raw)
  if (host === '') return 'the host name is malformed'
  if (raw.endsWith('.') || host.endsWith('.')) return 'the host name ends with a dot'
  // `127.1`, `0x7f000001`, `2130706433`, full-width digits: the URL parser reads them as addresses (WHATWG §3.5).
  const labels = host.split('.')
  if (isIPv4(host) || numericLabel.test(labels.at(-1) ?? '')) {
    return 'IPv4 addresses are written as four decimal numbers'
  }
  if (host.length > 253 || !labels.every((part) => label.test(part))) return 'the host name is malformed'
  return { host }
}

/**
 * Source: settings of a deployment. `http:` is accepted only where private networks are, and an address that
 * egress would deny is refused here already, so that the mistake shows when it is made.
 */
export function parseOrigin(baseUrl: string, policy: EgressPolicy): ParsedOrigin | Fault {
  if (baseUrl.length > maxUrlLength) return refuse(`it is longer than ${maxUrlLength} characters`)
  const parts = shape.exec(baseUrl)
  if (parts === null) {
    return refuse(
      'expected https://host[:port][/path] without credentials, query, fragment or encoded characters',
    )
  }
  const protocol = parts[1] === 'https' ? 'https:' : 'http:'
  if (protocol === 'http:' && !policy.allowPrivateNetwork) {
    return refuse('http: is accepted only together with allowPrivateNetwork')
  }
  const authority = authorityShape.exec(parts[2] ?? '')
  if (authority === null) return refuse('the host or port is malformed')
  const port = authority[2] === undefined ? (protocol === 'https:' ? 443 : 80) : Number(authority[2])
  if (port < 1 || port > 65535) return refuse('the port is not between 1 and 65535')
  const parsed = parseHost(authority[1] ?? '')
  if (typeof parsed === 'string') return refuse(parsed)
  const addressClass = classifyAddress(parsed.host)
  if (addressClass !== 'invalid' && !isAddressAllowed(addressClass, policy.allowPrivateNetwork)) {
    return refuse(`the address is ${addressClass}, which is not allowed here`)
  }
  const basePath = (parts[3] ?? '').replace(/\/$/, '')
  if (/\/(?:\.{0,2})(?:\/|$)/.test(basePath)) return refuse('the path has empty or dot segments')
  return {
    origin: { protocol, host: parsed.host, port, allowPrivateNetwork: policy.allowPrivateNetwork },
    basePath,
  }
}

const hostSetting = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/
const pathSetting = /^[A-Za-z0-9_~-](?:[A-Za-z0-9._~:-]*[A-Za-z0-9_~-])?$/

/**
 * Fill `{name}` placeholders of a provider's base URL. A value in the host part must be one DNS label, in the path
 * part one plain segment, so no setting (`evil.example/`, `evil#`, `user@evil`) can move the host.
 */
export function fillBaseUrl(template: string, settings: Readonly<Record<string, string>>): string | Fault {
  const pathStart = template.indexOf('/', template.indexOf('://') + 3)
  let fault: Fault | null = null
  const filled = template.replace(/\{([A-Za-z]+)\}/g, (_whole, name: string, offset: number) => {
    const value = Object.hasOwn(settings, name) ? settings[name] : undefined
    const inHost = pathStart < 0 || offset < pathStart
    if (value === undefined) {
      fault ??= new Fault(faults.missingField, {
        public: { field: `settings.${name}` },
        param: `settings.${name}`,
      })
    } else if (value.length > maxSettingLength || !(inHost ? hostSetting : pathSetting).test(value)) {
      const reason = inHost ? 'expected letters, digits and hyphens' : 'expected one plain path segment'
      const field = `settings.${name}`
      fault ??= new Fault(faults.invalidField, { public: { field, reason }, param: field })
    }
    return value ?? ''
  })
  return fault ?? filled
}
