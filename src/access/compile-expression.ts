/**
 * A Cedar expression in its JSON form → a closure. It means what the Cedar engine means, errors included; what is
 * not in the table below is `UnsupportedPolicy`, and its policy set is decided by the engine: arithmetic (whose
 * integers have 64 bits), decimals, dates, tags and templates.
 */
import { IpRange, parseIpRange } from './ip-range.ts'
import { CedarRecord, CedarSet, type CedarValue, type Entity, EntityUid, equals } from './values.ts'

/** What is decided on. */
export interface AccessRequest {
  readonly principal: Entity
  readonly action: Entity
  readonly resource: Entity
  readonly context: CedarRecord
  /** Entities that are neither principal, action nor resource, by key. */
  readonly entities: ReadonlyMap<string, Entity>
}

export type Evaluate = (request: AccessRequest) => CedarValue

/** The policy must be left to the engine. */
export class UnsupportedPolicy extends Error {}

/** A policy that cannot be evaluated decides nothing. Made once: no stack, no cost. */
class EvaluationError extends Error {}
const evaluationError = new EvaluationError('evaluation error')

export function isEvaluationError(error: unknown): boolean {
  return error === evaluationError
}

/** The policy decides nothing about this request. */
export function fail(): never {
  throw evaluationError
}

type Body = Readonly<Record<string, unknown>>
type Compile = (body: Body) => Evaluate

function bodyOf(value: unknown): Body {
  if (typeof value !== 'object' || value === null) throw new UnsupportedPolicy('malformed expression')
  return value as Body
}

/** @throws UnsupportedPolicy */
export function compileExpression(expression: unknown): Evaluate {
  const entries = Object.entries(bodyOf(expression))
  const [operator, body] = entries[0] ?? ['', null]
  const compile = operators.get(operator)
  if (compile === undefined || entries.length !== 1) throw new UnsupportedPolicy(`operator ${operator}`)
  return compile(body as Body)
}

function compileVariable(name: unknown): Evaluate {
  switch (name) {
    case 'principal':
      return ({ principal }) => principal.uid
    case 'action':
      return ({ action }) => action.uid
    case 'resource':
      return ({ resource }) => resource.uid
    case 'context':
      return ({ context }) => context
    default:
      throw new UnsupportedPolicy(`variable ${String(name)}`)
  }
}

/** A value in Cedar's JSON form. @throws UnsupportedPolicy */
function readValue(value: unknown): CedarValue {
  if (typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (Array.isArray(value)) return new CedarSet(value.map(readValue))
  const body = bodyOf(value)
  if (Object.hasOwn(body, '__entity')) return readUid(body['__entity'])
  if (Object.hasOwn(body, '__extn')) {
    const { fn, arg } = bodyOf(body['__extn'])
    const range = fn === 'ip' && typeof arg === 'string' ? parseIpRange(arg) : null
    if (range === null) throw new UnsupportedPolicy(`value of ${String(fn)}`)
    return range
  }
  return new CedarRecord(new Map(Object.entries(body).map(([name, field]) => [name, readValue(field)])))
}

export function readUid(value: unknown): EntityUid {
  const body = bodyOf(value)
  const { type, id } = Object.hasOwn(body, '__entity') ? bodyOf(body['__entity']) : body
  if (typeof type !== 'string' || typeof id !== 'string') throw new UnsupportedPolicy('malformed entity')
  return new EntityUid(type, id)
}

function bool(value: CedarValue): boolean {
  return typeof value === 'boolean' ? value : fail()
}
function long(value: CedarValue): number {
  return typeof value === 'number' ? value : fail()
}
function set(value: CedarValue): CedarSet {
  return value instanceof CedarSet ? value : fail()
}
function uid(value: CedarValue): EntityUid {
  return value instanceof EntityUid ? value : fail()
}
function ip(value: CedarValue): IpRange {
  return value instanceof IpRange ? value : fail()
}

function pair(body: Body, combine: (left: CedarValue, right: CedarValue) => CedarValue): Evaluate {
  const left = compileExpression(body['left'])
  const right = compileExpression(body['right'])
  return (request) => combine(left(request), right(request))
}

/** Both sides are read before either's type is asked for, as the engine does. */
function order(holds: (left: number, right: number) => boolean): Compile {
  return (body) => pair(body, (left, right) => holds(long(left), long(right)))
}

function both(body: Body, stopAt: boolean): Evaluate {
  const left = compileExpression(body['left'])
  const right = compileExpression(body['right'])
  return (request) => (bool(left(request)) === stopAt ? stopAt : bool(right(request)))
}

function findEntity(request: AccessRequest, { key }: EntityUid): Entity | undefined {
  if (request.principal.uid.key === key) return request.principal
  if (request.resource.uid.key === key) return request.resource
  if (request.action.uid.key === key) return request.action
  return request.entities.get(key)
}

function fieldsOf(request: AccessRequest, value: CedarValue): CedarRecord['fields'] | undefined {
  if (value instanceof CedarRecord) return value.fields
  return findEntity(request, uid(value))?.attributes.fields
}

function compileAttribute(body: Body): Evaluate {
  const of = compileExpression(body['left'])
  const name = String(body['attr'])
  return (request) => fieldsOf(request, of(request))?.get(name) ?? fail()
}

/** `has a.b.c` asks for each in turn. */
function compileHas(body: Body): Evaluate {
  const of = compileExpression(body['left'])
  const { attr } = body
  const names: readonly unknown[] = Array.isArray(attr) ? attr : [attr]
  return (request) => {
    let value = of(request)
    for (const name of names) {
      const found = fieldsOf(request, value)?.get(String(name))
      if (found === undefined) return false
      value = found
    }
    return true
  }
}

/** Whether an entity is another one or within it. */
export function isWithin(entity: Entity | undefined, own: EntityUid, { key }: EntityUid): boolean {
  if (own.key === key) return true
  if (entity === undefined) return false
  for (const ancestor of entity.ancestors) if (ancestor.key === key) return true
  return false
}

function isIn(request: AccessRequest, own: EntityUid, place: CedarValue): boolean {
  const entity = findEntity(request, own)
  if (!(place instanceof CedarSet)) return isWithin(entity, own, uid(place))
  const places = place.items.map(uid)
  return places.some((each) => isWithin(entity, own, each))
}

function compileIn(body: Body): Evaluate {
  const left = compileExpression(body['left'])
  const right = compileExpression(body['right'])
  return (request) => {
    const own = left(request)
    const place = right(request)
    return isIn(request, uid(own), place)
  }
}

function compileIs(body: Body): Evaluate {
  const of = compileExpression(body['left'])
  const type = body['entity_type']
  const place = body['in'] === undefined ? null : compileExpression(body['in'])
  return (request) => {
    const own = uid(of(request))
    if (own.type !== type) return false
    return place === null || isIn(request, own, place(request))
  }
}

/** Code points, so that nothing is cut in half; null stands for `*`. */
function readPattern(pattern: unknown): readonly (string | null)[] {
  if (!Array.isArray(pattern)) throw new UnsupportedPolicy('malformed pattern')
  return pattern.flatMap((part: unknown): (string | null)[] =>
    part === 'Wildcard' ? [null] : [...String(bodyOf(part)['Literal'])],
  )
}

/** Greedy with one point of return: linear in text × pattern, whatever is in them. */
function matches(text: readonly string[], pattern: readonly (string | null)[]): boolean {
  let at = 0
  let place = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (place < pattern.length && pattern[place] === null) {
      star = place
      place += 1
      resume = at
    } else if (place < pattern.length && pattern[place] === text[at]) {
      place += 1
      at += 1
    } else if (star >= 0) {
      place = star + 1
      resume += 1
      at = resume
    } else return false
  }
  while (place < pattern.length && pattern[place] === null) place += 1
  return place === pattern.length
}

function compileLike(body: Body): Evaluate {
  const of = compileExpression(body['left'])
  const pattern = readPattern(body['pattern'])
  return (request) => {
    const text = of(request)
    return typeof text === 'string' ? matches([...text], pattern) : fail()
  }
}

function compileChoice(body: Body): Evaluate {
  const condition = compileExpression(body['if'])
  const yes = compileExpression(body['then'])
  const no = compileExpression(body['else'])
  return (request) => (bool(condition(request)) ? yes(request) : no(request))
}

function compileSet(body: unknown): Evaluate {
  if (!Array.isArray(body)) throw new UnsupportedPolicy('malformed set')
  const items = body.map(compileExpression)
  const made = items.every(isConstant) ? new CedarSet(items.map((item) => item(nothing))) : null
  if (made !== null) return constant(made)
  return (request) => new CedarSet(items.map((item) => item(request)))
}

function compileRecord(body: Body): Evaluate {
  const fields = Object.entries(body).map(([name, value]) => [name, compileExpression(value)] as const)
  return (request) => new CedarRecord(new Map(fields.map(([name, value]) => [name, value(request)])))
}

const constants = new WeakSet<Evaluate>()
const nothing: AccessRequest = Object.freeze({
  principal: { uid: new EntityUid('', ''), attributes: new CedarRecord(new Map()), ancestors: [] },
  action: { uid: new EntityUid('', ''), attributes: new CedarRecord(new Map()), ancestors: [] },
  resource: { uid: new EntityUid('', ''), attributes: new CedarRecord(new Map()), ancestors: [] },
  context: new CedarRecord(new Map()),
  entities: new Map(),
})

function isConstant(evaluate: Evaluate): boolean {
  return constants.has(evaluate)
}

function constant(value: CedarValue): Evaluate {
  const evaluate: Evaluate = () => value
  constants.add(evaluate)
  return evaluate
}

function calls(args: unknown, count: number): readonly Evaluate[] {
  if (!Array.isArray(args) || args.length !== count) throw new UnsupportedPolicy('arguments of a function')
  return args.map(compileExpression)
}

function compileIp(args: unknown): Evaluate {
  const [of = fail] = calls(args, 1)
  const read = (value: CedarValue): CedarValue =>
    (typeof value === 'string' ? parseIpRange(value) : null) ?? fail()
  if (!isConstant(of)) return (request) => read(of(request))
  const value = of(nothing)
  const range = typeof value === 'string' ? parseIpRange(value) : null
  return range === null ? fail : constant(range)
}

function ask(holds: (range: IpRange) => boolean): (args: unknown) => Evaluate {
  return (args) => {
    const [of = fail] = calls(args, 1)
    return (request) => holds(ip(of(request)))
  }
}

function compileIsInRange(args: unknown): Evaluate {
  const [left = fail, right = fail] = calls(args, 2)
  return (request) => {
    const range = left(request)
    const network = right(request)
    return ip(range).isInRange(ip(network))
  }
}

const operators: ReadonlyMap<string, (body: Body) => Evaluate> = new Map<string, (body: Body) => Evaluate>([
  ['Value', (body) => constant(readValue(body))],
  ['Var', compileVariable],
  ['!', (body) => not(compileExpression(body['arg']))],
  ['==', (body) => pair(body, equals)],
  ['!=', (body) => pair(body, (left, right) => !equals(left, right))],
  ['<', order((left, right) => left < right)],
  ['<=', order((left, right) => left <= right)],
  ['>', order((left, right) => left > right)],
  ['>=', order((left, right) => left >= right)],
  ['&&', (body) => both(body, false)],
  ['||', (body) => both(body, true)],
  ['in', compileIn],
  ['is', compileIs],
  ['has', compileHas],
  ['.', compileAttribute],
  ['like', compileLike],
  ['if-then-else', compileChoice],
  ['Set', compileSet],
  ['Record', compileRecord],
  ['contains', (body) => pair(body, (left, right) => set(left).contains(right))],
  ['containsAll', (body) => pair(body, (left, right) => set(left).containsAll(set(right)))],
  ['containsAny', (body) => pair(body, (left, right) => set(left).containsAny(set(right)))],
  ['isEmpty', (body) => isEmpty(compileExpression(body['arg']))],
  ['ip', compileIp],
  ['isInRange', compileIsInRange],
  ['isIpv4', ask((range) => range.bits === 32)],
  ['isIpv6', ask((range) => range.bits === 128)],
  ['isLoopback', ask((range) => range.isLoopback())],
  ['isMulticast', ask((range) => range.isMulticast())],
])

function not(of: Evaluate): Evaluate {
  return (request) => !bool(of(request))
}
function isEmpty(of: Evaluate): Evaluate {
  return (request) => set(of(request)).items.length === 0
}
