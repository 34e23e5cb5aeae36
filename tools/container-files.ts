// What deploy/docker/Dockerfile and .dockerignore say, for the tests that hold them to it.
// Assumes the part of both formats that these two files use.

/** One instruction of a Dockerfile. */
export type Instruction = { readonly name: string; readonly text: string }

/** Instructions of a Dockerfile, continued lines joined, comments left out. */
export function readInstructions(text: string): Instruction[] {
  const plain = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
  return plain
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...rest] = line.trim().split(/\s+/)
      return { name: name.toUpperCase(), text: rest.join(' ') }
    })
}

/** True when .dockerignore lets the builder see `path`: the last rule that matches decides. */
export function isInContext(path: string, rules: readonly string[]): boolean {
  let seen = true
  for (const rule of rules) {
    const negated = rule.startsWith('!')
    const pattern = negated ? rule.slice(1) : rule
    const expression = pattern
      .split(/(\*\*\/|\*)/)
      .map((part) =>
        part === '**/' ? '(?:.*/)?' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
      )
      .join('')
    if (new RegExp(`^${expression}(?:/.*)?$`).test(path)) seen = negated
  }
  return seen
}

/** Texts of the instructions with this name, in order. */
export function textsOf(rows: readonly Instruction[], name: string): string[] {
  return rows.filter((row) => row.name === name).map((row) => row.text)
}

/** Rules of a .dockerignore, comments left out. */
export function readRules(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

/** Instructions of the last stage: the image that is shipped. */
export function finalStage(instructions: readonly Instruction[]): readonly Instruction[] {
  return instructions.slice(instructions.findLastIndex((row) => row.name === 'FROM'))
}
