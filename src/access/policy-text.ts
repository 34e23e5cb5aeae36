/** What every way in (admin API, documents, publishing) asks of a written policy. */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { AccessPolicy } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { type PolicyReading, readPolicy, type WrittenPolicy } from './cedar-engine.ts'

/** @throws Fault naming the mistake */
export function requirePolicy(written: WrittenPolicy): PolicyJson {
  const reading = readPolicy(written)
  if (reading.ok) return reading.json
  throw new Fault(faults.invalidField, {
    public: { field: 'cedar', reason: reading.problem },
    param: 'cedar',
  })
}

type Decisive = Pick<AccessPolicy, 'cedar' | 'enabled'>

/** A policy counts the changes of what it decides; its description decides nothing. */
export function revisionAfter(record: Decisive & { readonly revision: number }, change: Decisive): number {
  const isChanged = record.cedar !== change.cedar || record.enabled !== change.enabled
  return isChanged ? record.revision + 1 : record.revision
}

/** Reads policies again and again, each text once: what was not asked for between two sweeps is forgotten. */
export class PolicyReader {
  #known = new Map<string, PolicyReading>()
  #asked = new Map<string, PolicyReading>()

  read(written: WrittenPolicy): PolicyReading {
    const key = `${written.name} ${written.text}`
    const reading = this.#asked.get(key) ?? this.#known.get(key) ?? readPolicy(written)
    this.#asked.set(key, reading)
    return reading
  }

  sweep(): void {
    this.#known = this.#asked
    this.#asked = new Map()
  }
}
