async function isAllowed(): Promise<boolean> {
  return await Promise.resolve(false)
}

export function decide(): string {
  if (isAllowed()) return 'allow'
  return 'deny'
}
