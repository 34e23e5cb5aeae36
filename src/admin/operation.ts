/**
 * What an operation of the admin API is: its schemas, what it promises to answer, and one function. Where it is
 * served and which scope it takes stands in `register.ts`; nothing here knows HTTP beyond the status it answers.
 */
import type { Static, TObject, TSchema } from 'typebox'
import type { FaultName } from '../faults/catalogue.ts'
import type { AdminContext } from './context.ts'

/** Answer that is not JSON: written as it comes, never held whole. */
export interface StreamedResult {
  readonly contentType: string
  /** Name for `Content-Disposition`; absent: it is no file. */
  readonly fileName?: string
  readonly body: AsyncIterable<string>
}

export type Success<R extends TSchema> =
  | { readonly status: 200 | 201; readonly description: string; readonly schema: R }
  | { readonly status: 204; readonly description: string }
  | { readonly status: 200; readonly description: string; readonly contentTypes: readonly string[] }

interface OperationText {
  /** Group in the reference: the noun. */
  readonly tag: string
  /** Verb first, one line. */
  readonly summary: string
  readonly description?: string
  /** Promised beyond 400, 401 and 403, which follow from schemas and scope. */
  readonly faults: readonly FaultName[]
}

export interface OperationDefinition<
  P extends TObject,
  Q extends TObject,
  B extends TSchema,
  R extends TSchema,
> extends OperationText {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  readonly success: Success<R>
  run(
    ctx: AdminContext,
    input: { readonly params: Static<P>; readonly query: Static<Q>; readonly body: Static<B> },
  ): Promise<Static<R> | StreamedResult | undefined>
}

/** An operation with its types erased, as the table of `register.ts` holds it. */
export interface AdminOperation extends OperationText {
  readonly params: TObject | undefined
  readonly query: TObject | undefined
  readonly body: TSchema | undefined
  readonly success: Success<TSchema>
  run(
    ctx: AdminContext,
    input: { readonly params: unknown; readonly query: unknown; readonly body: unknown },
  ): Promise<unknown>
}

/** Tie schemas and function together; inputs arrive validated against exactly these schemas. */
export function defineOperation<
  P extends TObject = TObject,
  Q extends TObject = TObject,
  B extends TSchema = TSchema,
  R extends TSchema = TSchema,
>(definition: OperationDefinition<P, Q, B, R>): AdminOperation {
  return Object.freeze({
    params: undefined,
    query: undefined,
    body: undefined,
    ...definition,
  })
}

/** True for an answer that is streamed. */
export function isStreamed(result: unknown): result is StreamedResult {
  return typeof result === 'object' && result !== null && 'body' in result && 'contentType' in result
}
