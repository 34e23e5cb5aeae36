export const projectRoot: string
export const lowestVersion: readonly [number, number]
export function pinnedPackage(): string | undefined
export function isRecentEnough(version: string): boolean
export function findNode(root?: string): string | undefined
export function missingNodeMessage(name?: string | null): string
export function runProgram(script: string, args: readonly string[], root?: string): void
