/** A configuration that is refused: what is wrong with it, and where. */
export interface ConfigProblem {
  readonly file: string
  /** From 1; 0 where no place is known. */
  readonly line: number
  /** Dotted path, `models[0].targets`. */
  readonly path: string
  readonly reason: string
}

export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

export function describeProblem(problem: ConfigProblem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file
  return `${place}: ${problem.path === '' ? '' : `${problem.path}: `}${problem.reason}`
}
