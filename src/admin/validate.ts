/**
 * Schema checks at the edge of the admin API. Bodies are taken as they are; path and query values, which are text
 * on the wire, are converted first. A refused request names the field and the reason, never the value.
 */
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Convert } from 'typebox/value'
import { findSchemaProblems, joinPath, type SchemaProblem } from '../config/index.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'

export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  return (input: unknown) => {
    const value = httpPart === 'body' ? input : Convert(schema, input)
    if (validator.Check(value)) return { value }
    // The framework writes to the error that it is given, and a Fault does not change: it travels as the cause.
    return {
      error: new Error('refused by the schema', {
        cause: validationFault(findSchemaProblems(schema, value)),
      }),
    }
  }
}

/** A mistyped name explains a missing one, so it goes first. */
const rank: Readonly<Record<SchemaProblem['kind'], number>> = {
  'unknown-key': 0,
  'missing-key': 1,
  invalid: 2,
}

function validationFault(problems: readonly SchemaProblem[]): Fault {
  const first = [...problems].sort((left, right) => rank[left.kind] - rank[right.kind])[0]
  if (first === undefined)
    return new Fault(faults.validation, { public: { reason: 'it does not fit the schema' } })
  const field = joinPath(first.path) || 'body'
  if (first.kind === 'missing-key') return new Fault(faults.missingField, { public: { field }, param: field })
  const reason = first.kind === 'unknown-key' ? 'there is no such field' : first.reason
  return new Fault(faults.invalidField, { public: { field, reason }, param: field })
}
