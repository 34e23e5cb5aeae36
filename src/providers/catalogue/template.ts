/**
 * Path templates: literal text with `{placeholders}`. Settings are filled once per deployment; `{model}` or `{rest}`
 * (at most one, once) stays open and is filled per request between two precompiled pieces.
 *
 * A value can never leave its place: a setting is one path segment of plain characters, a model is percent-encoded,
 * and segments that a server would normalise away (`.`, `..`, empty) are refused (RFC 3986 §5.2.4). Base URLs are
 * filled and parsed by `src/egress`.
 */
import { refuse } from './refuse.ts'

/** The upstream path for one request, or null when `name` (a model, or the rest of a path) cannot stand in it. */
export type PathBuilder = (name: string) => string | null

const placeholder = /\{([A-Za-z]{1,32})\}/g
const literal = /^[A-Za-z0-9/_.:~?=&%@-]*$/
const openNames: ReadonlySet<string> = new Set(['model', 'rest'])
const settingValue = /^[A-Za-z0-9_~-](?:[A-Za-z0-9._~:-]{0,254}[A-Za-z0-9_~-])?$/
const plainSegment = /^[A-Za-z0-9_.~-]+$/
const dotSegment = /^\.{1,2}$/
const maxNameLength = 512
const maxRestSegments = 8

/** Names of the placeholders in `template`, in order. */
export function placeholdersOf(template: string): readonly string[] {
  return Array.from(template.matchAll(placeholder), (match) => match[1] ?? '')
}

/**
 * Refuses a template with characters that a URL would need to repair, malformed braces, dot segments, or more than one
 * open placeholder.
 * @throws Fault `config.invalid`
 */
export function checkTemplate(where: string, template: string): void {
  const bare = template.replace(placeholder, 'x')
  if (!literal.test(bare)) refuse(`${where} has characters that do not belong in a path template`)
  const path = bare.split('?', 1)[0] ?? ''
  if (path.split('/').some((segment) => dotSegment.test(segment))) refuse(`${where} has dot segments`)
  if (bare.startsWith('//')) refuse(`${where} begins with //`)
  const open = placeholdersOf(template).filter((name) => openNames.has(name))
  if (open.length > 1) refuse(`${where} has more than one of {model} and {rest}`)
}

function encodeSegment(segment: string): string | null {
  if (plainSegment.test(segment)) return dotSegment.test(segment) ? null : segment
  return segment === '' || !segment.isWellFormed() ? null : encodeURIComponent(segment)
}

function encodeRest(rest: string): string | null {
  const segments = rest.split('/', maxRestSegments + 1)
  if (segments.length > maxRestSegments) return null
  const encoded = segments.map(encodeSegment)
  return encoded.includes(null) ? null : encoded.join('/')
}

/** `{name}` filled from settings; open placeholders stay. */
function fillSettings(where: string, template: string, settings: Readonly<Record<string, string>>): string {
  return template.replace(placeholder, (whole, name: string) => {
    if (openNames.has(name)) return whole
    const value = Object.hasOwn(settings, name) ? settings[name] : undefined
    if (value === undefined) refuse(`${where} needs the setting ${name}`)
    if (!settingValue.test(value)) refuse(`${where}: the setting ${name} must be one plain path segment`)
    return value
  })
}

export interface PathSource {
  /** What to name in a refusal. */
  readonly where: string
  /** Path of the base URL, without a trailing slash. */
  readonly basePath: string
  readonly template: string
  readonly settings: Readonly<Record<string, string>>
}

/**
 * A template with its settings filled in, ready for the hot path.
 * @throws Fault `config.invalid`
 */
export function compilePath(source: PathSource): PathBuilder {
  const filled = source.basePath + fillSettings(source.where, source.template, source.settings)
  const open = placeholdersOf(filled).find((name) => openNames.has(name))
  if (open === undefined) return () => filled
  const at = filled.indexOf(`{${open}}`)
  const prefix = filled.slice(0, at)
  const suffix = filled.slice(at + open.length + 2)
  const encode = open === 'rest' ? encodeRest : encodeSegment
  return (name) => {
    if (name.length > maxNameLength) return null
    const encoded = encode(name)
    return encoded === null ? null : prefix + encoded + suffix
  }
}
