/**
 * Errors of the admin API, from the catalogue and in one shape. What is not a Fault becomes `internal.unexpected`:
 * no text of an unknown error ever reaches a caller.
 */
import { type CatalogueEntry, type FaultName, faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'

export interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly param: string | null
    readonly request_id: string
    readonly documentation_url: string
  }
}

export interface ErrorContext {
  readonly requestId: string
  /** Prefix of documentation links. */
  readonly documentationUrl: string
}

export function errorBody(fault: Fault, context: ErrorContext): ErrorBody {
  return {
    error: {
      code: fault.code,
      message: fault.publicText,
      param: fault.param ?? null,
      request_id: context.requestId,
      documentation_url: context.documentationUrl + fault.code,
    },
  }
}

/** Fastify's own refusals, by its stable codes, and what they mean here. */
const frameworkFaults = new Map<string, FaultName>([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'bodyTooLarge'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupportedContentType'],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', 'malformedJson'],
  ['FST_ERR_CTP_INVALID_JSON_BODY', 'malformedJson'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'bodyMalformed'],
])

interface FrameworkError {
  readonly code?: unknown
  readonly statusCode?: unknown
  readonly validation?: unknown
}

/**
 * The fault behind anything thrown. `shown` fills the texts of refusals that the framework made: the limit and the
 * content type.
 */
export function faultOf(
  error: unknown,
  shown: { readonly limit: number; readonly contentType: string },
): Fault {
  if (error instanceof Fault) return error
  if (error instanceof Error && error.cause instanceof Fault) return error.cause
  const { code, statusCode } = (typeof error === 'object' && error !== null ? error : {}) as FrameworkError
  const name = typeof code === 'string' ? frameworkFaults.get(code) : undefined
  if (name !== undefined) return new Fault(faults[name], { public: shown })
  const definition: CatalogueEntry = statusCode === 400 ? faults.malformedJson : faults.internal
  return new Fault(definition, { internal: 'not a fault', cause: error })
}
