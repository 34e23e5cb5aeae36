export function describe(row: { name: string; state: string; count: number; limit: number }): string {
  const parts: string[] = []
  parts.push(`name ${row.name}`)
  if (row.state === 'active') parts.push('is active')
  if (row.state === 'paused') parts.push('is paused')
  if (row.state === 'revoked') parts.push('is revoked')
  if (row.count > row.limit) parts.push(`is over its limit of ${row.limit}`)
  if (row.count === row.limit) parts.push('is at its limit')
  if (row.count < row.limit / 2) parts.push('has room')
  for (const part of parts) {
    if (part.length > 100) throw new Error(`too long: ${part}`)
  }
  return parts.join(', ')
}
