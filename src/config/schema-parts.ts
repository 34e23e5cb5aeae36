/** What the schema of `gatewright.yaml` is put together from. */
import { type TSchema, Type } from 'typebox'

export const closed = { additionalProperties: false }

export function section<T extends Record<string, TSchema>>(description: string, properties: T) {
  return Type.Object(properties, { ...closed, description, default: {} })
}

/** A bounded integer; `range` is the least and the greatest value. */
export function count(description: string, value: number, range: readonly [number, number?] = [1]) {
  return Type.Integer({ description, default: value, minimum: range[0], maximum: range[1] ?? 2 ** 40 })
}
