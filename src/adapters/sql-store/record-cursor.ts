/** Keyset cursors: opaque text over (createdAt, id). A cursor from elsewhere is a validation fault, never SQL. */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { pageLimit } from '../../ports/store.ts'

export interface Keyset {
  readonly createdAt: number
  readonly id: string
}

const maxCursorLength = 200

export function writeCursor(record: Keyset): string {
  return Buffer.from(`${record.createdAt}.${record.id}`, 'latin1').toString('base64url')
}

export function readCursor(text: string): Keyset {
  const plain = text.length <= maxCursorLength ? Buffer.from(text, 'base64url').toString('latin1') : ''
  const dot = plain.indexOf('.')
  const createdAt = Number(plain.slice(0, dot))
  if (dot < 1 || !Number.isSafeInteger(createdAt)) {
    throw new Fault(faults.validation, {
      public: { reason: 'the cursor is not one of ours' },
      param: 'after',
    })
  }
  return { createdAt, id: plain.slice(dot + 1) }
}

/** The page size asked for, or a validation fault. */
export function readLimit(limit: number | undefined): number {
  const value = limit ?? pageLimit.default
  if (!Number.isInteger(value) || value < 1 || value > pageLimit.max) {
    throw new Fault(faults.validation, {
      public: { reason: `limit must be between 1 and ${pageLimit.max}` },
      param: 'limit',
    })
  }
  return value
}
