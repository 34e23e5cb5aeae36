/**
 * Schema checks at the edge of the admin API. Bodies are taken as they are; path and query values, which are text
 * on the wire, are converted first. A refused request names the field and the reason, never the value.
 */
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Convert } from 'typebox/value'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message?: string
}

export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  return (input: unknown) => {
    const value = httpPart === 'body' ? input : Convert(schema, input)
    if (validator.Check(value)) return { value }
    // The framework writes to the error that it is given, and a Fault does not change: it travels as the cause.
    return { error: new Error('refused by the schema', { cause: validationFault(validator.Errors(value)) }) }
  }
}

/** JSON pointer → the path a reader writes: `/targets/0/model` → `targets[0].model`. */
function fieldPath(pointer: string): string {
  let path = ''
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (/^\d+$/.test(name)) path += `[${name}]`
    else path += path === '' ? name : `.${name}`
  }
  return path
}

function missingName(error: SchemaError): string {
  const names: unknown = 'requiredProperties' in error.params ? error.params.requiredProperties : undefined
  return Array.isArray(names) && typeof names[0] === 'string' ? names[0] : ''
}

/**
 * The error that says most. Unknown fields first, because a typing mistake there explains a missing field;
 * the parent that only repeats it (`additionalProperties`) and unions that only list their branches last.
 */
function rank(error: SchemaError): number {
  if (error.keyword === 'boolean') return 0
  if (error.keyword === 'required') return 1
  if (error.keyword === 'additionalProperties') return 4
  return error.keyword === 'anyOf' ? 3 : 2
}

export function validationFault(errors: readonly SchemaError[]): Fault {
  const first = [...errors].sort((left, right) => rank(left) - rank(right))[0]
  if (first === undefined)
    return new Fault(faults.validation, { public: { reason: 'it does not fit the schema' } })
  const at = fieldPath(first.instancePath)
  if (first.keyword === 'required') {
    const field = at === '' ? missingName(first) : `${at}.${missingName(first)}`
    return new Fault(faults.missingField, { public: { field }, param: field })
  }
  const field = at === '' ? 'body' : at
  const reason =
    first.keyword === 'boolean' ? 'there is no such field' : (first.message ?? 'not as the schema demands')
  return new Fault(faults.invalidField, { public: { field, reason }, param: field })
}
