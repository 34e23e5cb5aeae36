/** Views show exactly the fields that their schema names: a new field of a record is never shown by accident. */
import type { Static, TObject } from 'typebox'

/**
 * A function that copies the fields named by `view` out of a record, and nothing else. Types demand that the record
 * has every field; that each value fits its schema is checked on every answer of the test suite.
 */
export function showFields<V extends TObject>(
  view: V,
): (record: { readonly [K in keyof V['properties']]: unknown }) => Static<V> {
  const names = Object.keys(view.properties)
  return (record) => {
    const source: Readonly<Record<string, unknown>> = record
    return Object.fromEntries(names.map((name) => [name, source[name]])) as Static<V>
  }
}
