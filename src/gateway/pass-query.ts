/**
 * The caller's query on its way to a provider, for pass-through operations only. What the provider's own path sets
 * already (Azure's `api-version`) and what providers take for credentials may not come from a caller.
 * Bound: 32 parameters.
 */
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'

const maxParameters = 32
const credential = /^(?:key|(?:api|access|auth)?[-_]?(?:key|token)|authorization|api-version|sig|signature)$/
const signed = /^x-(?:amz|goog|ms)-/

/** `path` with `query` (printable ASCII, as the listener has checked) behind it. @throws Fault 400 */
export function passQuery(path: string, query: string): string {
  if (query === '') return path
  const mark = path.indexOf('?')
  const own = new Set(mark < 0 ? [] : namesOf(path.slice(mark + 1)))
  for (const name of namesOf(query)) {
    if (own.has(name) || credential.test(name) || signed.test(name)) throw refused(name)
  }
  return `${path}${mark < 0 ? '?' : '&'}${query}`
}

/** Lower case and decoded; `;` separates too, for servers that hold to RFC 1866. */
function namesOf(query: string): string[] {
  const pairs = query.split(/[&;]/, maxParameters + 1)
  if (pairs.length > maxParameters) throw refused(`parameter ${maxParameters + 1}`)
  return pairs.map((pair) => {
    const name = pair.split('=', 1)[0] ?? ''
    try {
      return decodeURIComponent(name.replaceAll('+', ' ')).trim().toLowerCase()
    } catch {
      throw refused(name)
    }
  })
}

function refused(field: string): Fault {
  return new Fault(faults.invalidField, {
    public: { field, reason: 'it cannot be passed on in a query' },
    param: field,
  })
}
