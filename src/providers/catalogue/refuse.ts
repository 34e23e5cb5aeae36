/** The one refusal of this folder: configuration that cannot be used. */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'

/** Throws `config.invalid`. `reason` is public: it names fields, never secrets. */
export function refuse(reason: string): never {
  throw new Fault(faults.configInvalid, { public: { reason }, internal: reason })
}
