/** How git is called on a repository that nobody vouches for: it runs nothing of it and fetches nothing. */

/** Options that keep the configuration of a repository from naming programs. */
export function gitSafely(args: readonly string[]): string[] {
  return ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.pager=cat', ...args]
}

export type GitEnvironment = Readonly<Record<string, string>>

/** Of our own environment where programs are and whose settings hold, such as `safe.directory`. */
export function gitEnvironment({ PATH, HOME }: Readonly<Record<string, string | undefined>>): GitEnvironment {
  return {
    ...(PATH === undefined ? {} : { PATH }),
    ...(HOME === undefined ? {} : { HOME }),
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_LAZY_FETCH: '1',
    LC_ALL: 'C',
  }
}
