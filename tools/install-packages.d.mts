export type NpmCommand = {
  readonly file: string
  readonly args: readonly string[]
  readonly shell: boolean
  readonly path: string
}
export function npmCommand(root: string, env?: Record<string, string | undefined>): NpmCommand
export function installPackages(root: string, dev: boolean): Promise<void>
export function whatIsMissing(root: string, dev: boolean): string | undefined
