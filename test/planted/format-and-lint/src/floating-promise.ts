async function save(): Promise<void> {
  await Promise.resolve()
}

export function close(): void {
  save()
}
