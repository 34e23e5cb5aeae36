/** Commands with what every one of ours has: a summary, examples in `--help`, and a session to work with. */
import type { Command } from 'commander'
import { CliFailure } from './cli-failure.ts'
import { type CliIo, createSession, type GlobalOptions, type Session } from './session.ts'

/** Command line and what it means. */
export type Example = readonly [line: string, meaning: string]

export interface CommandText {
  /** Name with arguments, as commander reads it: `rotate <key>`. */
  readonly name: string
  readonly summary: string
  readonly examples: readonly Example[]
}

const examplesByCommand = new WeakMap<Command, readonly Example[]>()

/** The examples of a command, for the generated reference. */
export function examplesOf(command: Command): readonly Example[] {
  return examplesByCommand.get(command) ?? []
}

/** Add a command below `parent`. */
export function defineCommand(parent: Command, text: CommandText): Command {
  const command = parent.command(text.name).description(text.summary)
  examplesByCommand.set(command, text.examples)
  if (text.examples.length > 0) {
    const lines = text.examples.map(([line, meaning]) => `  ${line}\n      ${meaning}`)
    command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
  }
  return command
}

/** A group of commands: without one of them it shows its help. */
export function defineGroup(parent: Command, name: string, summary: string): Command {
  return parent.command(name).description(summary).showHelpAfterError('(add --help for examples)')
}

/** What an action gets. `O`: its own options. */
export interface Invocation<O> {
  readonly session: Session
  readonly args: readonly string[]
  readonly options: O
  /** What `--org` names; undefined: nothing. */
  readonly organization: string | undefined
}

/** Run `work` when the command is called. */
export function runs<O>(
  command: Command,
  io: CliIo,
  work: (invocation: Invocation<O>) => Promise<void>,
): void {
  command.action(async () => {
    const global = command.optsWithGlobals<GlobalOptions>()
    const session = createSession(global, io)
    await work({ session, args: command.args, options: command.opts() as O, organization: global.org })
  })
}

/** The argument at `index`, which commander has made sure of. */
export function argument(args: readonly string[], index: number): string {
  const value = args[index]
  if (value === undefined) throw new CliFailure('usage', 'An argument is missing.', 'See --help.')
  return value
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** `name=value` pairs as an object. @throws CliFailure */
export function parsePairs(pairs: readonly string[], what: string): Record<string, string> {
  const parsed = new Map<string, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw new CliFailure('usage', `${what} takes name=value.`)
    parsed.set(pair.slice(0, at), pair.slice(at + 1))
  }
  return Object.fromEntries(parsed)
}

/** Comma-separated text as a list. */
export function parseList(text: string): string[] {
  return text.split(',').map((part) => part.trim())
}
