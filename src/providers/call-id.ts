/**
 * Ids of tool calls on the way to APIs that take only `[A-Za-z0-9_-]`, at most 64 (Anthropic, Bedrock): other
 * dialects' ids may hold anything. The same id gives the same text, so a result still finds its call, and a
 * digest keeps ids apart that differ only in what was replaced.
 */
import { hash } from 'node:crypto'

const plain = /^[A-Za-z0-9_-]{1,64}$/
const keptLength = 50
const digestLength = 12

export function plainCallId(id: string): string {
  if (plain.test(id)) return id
  const kept = id.slice(0, keptLength).replace(/[^A-Za-z0-9_-]/g, '_')
  return `${kept}_${hash('sha256', id, 'hex').slice(0, digestLength)}`
}
