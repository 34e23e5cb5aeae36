/** What `npm run prove` may be told. A name that means nothing is an error: a proof of nothing would seem to hold. */
import { Command, InvalidArgumentError } from 'commander'
import type { ProofOptions, ProofSlice } from './slice.ts'

export interface ProofRequest extends ProofOptions {
  readonly slices: readonly ProofSlice[]
  /** Null: all sections. */
  readonly only: ReadonlySet<string> | null
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It takes a whole number above 0.')
  return value
}

function minutes(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('It takes a number above 0.')
  return value
}

function describeSlices(slices: readonly ProofSlice[]): string {
  return slices
    .map(({ name, sections }) => `  ${name}: ${sections.map((each) => each.name).join(', ')}`)
    .join('\n')
}

/** Read the arguments of the command line, without node and script. Prints help and mistakes, and then exits. */
export function readProofRequest(argv: readonly string[], slices: readonly ProofSlice[]): ProofRequest {
  const program = new Command('npm run prove --')
    .description(
      'Measures what the project claims, prints claim, target and measured figure, keeps the result in docs/evidence. ' +
        'Exit code 1 where a figure falls short.',
    )
    .argument('[slices...]', 'what to prove; everything when left out')
    .option('--only <sections>', 'some sections, separated by commas; the others keep their last result')
    .option('--soak-minutes <minutes>', 'how long soaks last', minutes, 20)
    .option('--kills <count>', 'how often a product is killed', wholeNumber, 20)
    .option('--outage-minutes <minutes>', 'how long a receiver of events is away', minutes, 10)
    .option('--quick', 'short runs; nothing is written', false)
    .addHelpText('after', `\nSlices and their sections:\n${describeSlices(slices)}`)
  program.parse([...argv], { from: 'user' })
  const { only, ...own } = program.opts<{ only?: string } & Omit<ProofOptions, 'say'>>()
  const strangers = program.args.filter((name) => !slices.some((slice) => slice.name === name))
  if (strangers.length > 0) program.error(`error: no slice is called ${strangers.join(', ')}; try --help`)
  const chosen =
    program.args.length === 0 ? slices : slices.filter((each) => program.args.includes(each.name))
  const sections = only === undefined ? null : new Set(only.split(','))
  const known = new Set(chosen.flatMap((slice) => slice.sections.map((section) => section.name)))
  const unknown = [...(sections ?? [])].filter((name) => !known.has(name))
  if (unknown.length > 0) program.error(`error: no section is called ${unknown.join(', ')}; try --help`)
  return { slices: chosen, only: sections, ...own, say: (text) => console.log(text) }
}
