/**
 * Checks one provider row and fills in what it leaves out. Rows of the catalogue and rows from configuration go
 * through this same function, so a vendor is never more than data.
 *
 * Assumes plain JSON. Every refusal is a `config.invalid` fault that names the provider and the field; unknown keys
 * are refused. Bounds: see `limits`.
 */
import { type DialectId, dialectIds } from '../../domain/dialect-id.ts'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import type { AuthScheme, Provider, ProviderQuirks } from '../../domain/provider.ts'
import { generationPathIds, pathIds } from './generation.ts'
import { checkHeaderName, checkHeaderValue, isManagedHeader } from './header-rules.ts'
import { refuse } from './refuse.ts'
import { checkTemplate, placeholdersOf } from './template.ts'

const limits = { entries: 64, text: 256, patterns: 64 } as const
/** Placeholders that each request fills; all others are settings of the deployment. */
const requestPlaceholders: ReadonlySet<string> = new Set(['model', 'rest'])

const rowKeys: ReadonlySet<string> = new Set<keyof Provider>([
  'id',
  'name',
  'baseUrl',
  'dialect',
  'auth',
  'paths',
  'headers',
  'forwardHeaders',
  'requiredSettings',
  'defaults',
  'environment',
  'modelPatterns',
  'privateNetwork',
  'quirks',
  'documentation',
])

function checkKeys(where: string, value: JsonObject, allowed: ReadonlySet<string>): void {
  for (const key of Object.keys(value)) {
    if (!allowed.has(key)) refuse(`${where} has the unknown key ${key}`)
  }
}

function readObject(where: string, value: unknown): JsonObject {
  if (!isJsonObject(value)) refuse(`${where} must be an object`)
  if (Object.keys(value).length > limits.entries) refuse(`${where} has more than ${limits.entries} entries`)
  return value
}

function readText(where: string, value: unknown, shape: RegExp): string {
  if (typeof value !== 'string' || !shape.test(value))
    refuse(`${where} must be text of the form ${shape.source}`)
  return value
}

function readList(where: string, value: unknown, shape: RegExp): readonly string[] {
  if (!Array.isArray(value)) refuse(`${where} must be a list`)
  if (value.length > limits.patterns) refuse(`${where} has more than ${limits.patterns} entries`)
  return Object.freeze(value.map((item: unknown) => readText(where, item, shape)))
}

function readBoolean(where: string, value: unknown): boolean {
  if (typeof value !== 'boolean') refuse(`${where} must be true or false`)
  return value
}

/** A record of text values, each checked by `check`, which throws. */
function readRecord(
  where: string,
  value: unknown,
  check: (key: string, text: string) => void,
): Readonly<Record<string, string>> {
  const entries = Object.entries(readObject(where, value)).map(([key, text]): [string, string] => {
    if (typeof text !== 'string' || text.length > limits.text) refuse(`${where}.${key} must be short text`)
    check(key, text)
    return [key, text]
  })
  return Object.freeze(Object.fromEntries(entries))
}

const namePattern = /^[ -~]{1,128}$/
const idPattern = /^[a-z][a-z0-9-]{0,63}$/
const modelPattern = /^[!-)+-~]{0,127}[!-~]$/
const settingName = /^[a-z][A-Za-z0-9]{0,31}$/
const variableName = /^[A-Z][A-Z0-9_]{0,63}$/
const scopePattern = /^https:\/\/[A-Za-z0-9./_-]{1,200}$/
const servicePattern = /^[a-z][a-z0-9-]{0,31}$/
const linkPattern = /^(?:|https:\/\/[!-~]{1,200})$/

type SchemeReader = (where: string, value: JsonObject) => AuthScheme

function readOptionalKey(where: string, value: JsonObject): { readonly optional?: boolean } {
  return value['optional'] === undefined
    ? {}
    : { optional: readBoolean(`${where}.optional`, value['optional']) }
}

/** Keys and reading of each auth scheme. */
const schemes: Readonly<Record<AuthScheme['kind'], readonly [keys: readonly string[], read: SchemeReader]>> =
  {
    bearer: [['optional'], (where, value) => ({ kind: 'bearer', ...readOptionalKey(where, value) })],
    header: [
      ['header', 'optional'],
      (where, value) => {
        const header = value['header']
        if (typeof header !== 'string' || !checkHeaderName(header)) {
          refuse(`${where}.header must be a header name in lower case`)
        }
        return { kind: 'header', header, ...readOptionalKey(where, value) }
      },
    ],
    sigv4: [
      ['service'],
      (where, value) => ({
        kind: 'sigv4',
        service: readText(`${where}.service`, value['service'], servicePattern),
      }),
    ],
    'google-oauth': [
      ['scope'],
      (where, value) => ({
        kind: 'google-oauth',
        scope: readText(`${where}.scope`, value['scope'], scopePattern),
      }),
    ],
    none: [[], () => ({ kind: 'none' })],
  }

function isSchemeKind(kind: unknown): kind is AuthScheme['kind'] {
  return typeof kind === 'string' && Object.hasOwn(schemes, kind)
}

function readAuth(where: string, input: unknown): AuthScheme {
  const value = readObject(where, input)
  const kind = value['kind']
  if (!isSchemeKind(kind)) refuse(`${where}.kind must be one of ${Object.keys(schemes).join(', ')}`)
  const [keys, read] = schemes[kind]
  checkKeys(where, value, new Set(['kind', ...keys]))
  return Object.freeze(read(where, value))
}

function readDialect(where: string, value: unknown): DialectId {
  const found = dialectIds.find((id) => id === value)
  if (found === undefined) refuse(`${where} must be one of ${dialectIds.join(', ')}`)
  return found
}

const quirkKeys: ReadonlySet<string> = new Set<keyof ProviderQuirks>([
  'requestStreamUsage',
  'renameFields',
  'maxTokensField',
])

function readQuirks(where: string, input: unknown): ProviderQuirks {
  const value = readObject(where, input)
  checkKeys(where, value, quirkKeys)
  const usage = value['requestStreamUsage']
  const rename = value['renameFields']
  const maxTokens = value['maxTokensField']
  if (maxTokens !== undefined && maxTokens !== 'max_tokens' && maxTokens !== 'max_completion_tokens') {
    refuse(`${where}.maxTokensField must be max_tokens or max_completion_tokens`)
  }
  return Object.freeze({
    ...(usage === undefined ? {} : { requestStreamUsage: readBoolean(`${where}.requestStreamUsage`, usage) }),
    ...(rename === undefined
      ? {}
      : { renameFields: readRecord(`${where}.renameFields`, rename, () => undefined) }),
    ...(maxTokens === undefined ? {} : { maxTokensField: maxTokens }),
  })
}

function readPaths(where: string, value: unknown): Readonly<Record<string, string>> {
  return readRecord(where, value, (id, path) => {
    if (!pathIds.has(id)) refuse(`${where} names the unknown operation ${id}`)
    if (!path.startsWith('/')) refuse(`${where}.${id} must begin with /`)
    checkTemplate(`${where}.${id}`, path)
  })
}

function readHeaders(where: string, value: unknown): Readonly<Record<string, string>> {
  return readRecord(where, value, (name, text) => {
    if (!checkHeaderName(name) || isManagedHeader(name)) refuse(`${where}.${name} may not be set by a row`)
    if (!checkHeaderValue(text)) refuse(`${where}.${name} has characters that a header cannot carry`)
  })
}

function readForwardHeaders(where: string, value: unknown): readonly string[] {
  const names = readList(where, value, namePattern)
  for (const name of names) {
    if (!checkHeaderName(name) || isManagedHeader(name)) refuse(`${where}: ${name} may not be forwarded`)
  }
  return names
}

function readEnvironment(where: string, input: unknown): Readonly<Record<string, readonly string[]>> {
  const entries = Object.entries(readObject(where, input)).map(
    ([field, names]): [string, readonly string[]] => [
      readText(`${where} field`, field, settingName),
      readList(`${where}.${field}`, names, variableName),
    ],
  )
  return Object.freeze(Object.fromEntries(entries))
}

/** Settings that the templates name and no default fills. */
function listRequired(
  templates: readonly string[],
  defaults: Readonly<Record<string, string>>,
): readonly string[] {
  const names = new Set(templates.flatMap(placeholdersOf))
  return Object.freeze(
    [...names].filter((name) => !requestPlaceholders.has(name) && !Object.hasOwn(defaults, name)),
  )
}

/**
 * The checked, frozen provider of a row (`ProviderRow` as JSON).
 * @throws Fault `config.invalid`
 */
export function compileProvider(input: unknown): Provider {
  const row = readObject('a provider', input)
  const id = readText('provider id', row['id'], idPattern)
  const where = `provider ${id}`
  checkKeys(where, row, rowKeys)
  const take = (key: keyof Provider, absent: unknown): unknown => row[key] ?? absent
  const baseUrl = take('baseUrl', null)
  if (baseUrl !== null && typeof baseUrl !== 'string') refuse(`${where}: baseUrl must be text`)
  if (baseUrl !== null) checkTemplate(`${where}: baseUrl`, baseUrl)
  const dialect = readDialect(`${where}: dialect`, row['dialect'])
  const paths = readPaths(`${where}: paths`, row['paths'])
  const generationPath = generationPathIds[dialect]
  if (!Object.hasOwn(paths, generationPath)) {
    refuse(`${where}: paths lacks ${generationPath}, which its dialect ${dialect} needs`)
  }
  const defaults = readRecord(`${where}: defaults`, take('defaults', {}), (name) => {
    readText(`${where}: defaults`, name, settingName)
  })
  const templates = [...(baseUrl === null ? [] : [baseUrl]), ...Object.values(paths)]
  return Object.freeze({
    id,
    name: readText(`${where}: name`, row['name'], namePattern),
    baseUrl,
    dialect,
    auth: readAuth(`${where}: auth`, row['auth']),
    paths,
    headers: readHeaders(`${where}: headers`, take('headers', {})),
    forwardHeaders: readForwardHeaders(`${where}: forwardHeaders`, take('forwardHeaders', [])),
    requiredSettings:
      row['requiredSettings'] === undefined
        ? listRequired(templates, defaults)
        : readList(`${where}: requiredSettings`, row['requiredSettings'], settingName),
    defaults,
    environment: readEnvironment(`${where}: environment`, take('environment', {})),
    modelPatterns: readList(`${where}: modelPatterns`, take('modelPatterns', []), modelPattern),
    privateNetwork: readBoolean(`${where}: privateNetwork`, take('privateNetwork', false)),
    quirks: readQuirks(`${where}: quirks`, take('quirks', {})),
    documentation: readText(`${where}: documentation`, take('documentation', ''), linkPattern),
  })
}
