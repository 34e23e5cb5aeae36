// Expressions whose form shows that they match in linear time, so that recheck need not think about them: at most one
// repetition without a bound on any path, none inside another, and few ways to go at each place of the text.

import { type AST, RegExpParser } from '@eslint-community/regexpp'

/** Ways to match at one place, by choices that do not grow with the text, and repetitions that do. */
type Cost = { readonly ways: number; readonly degree: number }

const mostWays = 512
const one: Cost = { ways: 1, degree: 0 }
const unclear: Cost = { ways: Number.POSITIVE_INFINITY, degree: 2 }

function costOfQuantifier({ element, min, max }: AST.Quantifier): Cost {
  const inner = costOf(element)
  if (max === Number.POSITIVE_INFINITY) {
    // Over single characters the repetition can only be of another length.
    const isCharacter = element.type === 'Character' || element.type === 'CharacterSet'
    return isCharacter || element.type === 'CharacterClass' ? { ways: 1, degree: 1 } : unclear
  }
  let ways = 0
  for (let times = min; times <= max && ways <= mostWays; times += 1) ways += inner.ways ** times
  return { ways, degree: inner.degree * max }
}

function costOfAlternative(elements: readonly AST.Element[]): Cost {
  let { ways, degree } = one
  for (const element of elements) {
    const cost = costOf(element)
    ways *= cost.ways
    degree += cost.degree
  }
  return { ways, degree }
}

function costOfAlternatives(alternatives: readonly AST.Alternative[]): Cost {
  const costs = alternatives.map(({ elements }) => costOfAlternative(elements))
  return {
    ways: costs.reduce((sum, { ways }) => sum + ways, 0),
    degree: Math.max(...costs.map(({ degree }) => degree)),
  }
}

function costOf(element: AST.Element): Cost {
  switch (element.type) {
    case 'Character':
    case 'CharacterSet':
    case 'CharacterClass':
      return one
    case 'Assertion':
      return element.kind === 'lookahead' || element.kind === 'lookbehind' ? unclear : one
    case 'Group':
    case 'CapturingGroup':
      return costOfAlternatives(element.alternatives)
    case 'Quantifier':
      return costOfQuantifier(element)
    default:
      return unclear
  }
}

function startsAtStart({ elements: [first] }: AST.Alternative): boolean {
  return first?.type === 'Assertion' && first.kind === 'start'
}

/**
 * Whether the expression is linear by its form alone. False says nothing: it may be linear all the same. Throws a
 * SyntaxError where the expression is none.
 */
export function isPlainlyLinear(pattern: string, flags: string): boolean {
  const mode = { unicode: flags.includes('u'), unicodeSets: flags.includes('v') }
  const { alternatives } = new RegExpParser().parsePattern(pattern, 0, pattern.length, mode)
  const { ways, degree } = costOfAlternatives(alternatives)
  // What may start anywhere is tried everywhere.
  const isTriedOnce = !flags.includes('m') && alternatives.every(startsAtStart)
  return ways <= mostWays && degree + (isTriedOnce ? 0 : 1) <= 1
}
