/**
 * Secrets for the command line come from a place, never from an argument: arguments stand in the shell's history and
 * in the list of processes.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CliFailure } from './cli-failure.ts'
import type { CliIo } from './session.ts'

const advice = 'Write env:NAME, file:PATH or stdin.'

/** The secret that `source` names. @throws CliFailure that never repeats what was given */
export async function readSecret(source: string, io: CliIo): Promise<string> {
  if (source === 'stdin') return required(await io.readInput(), 'Standard input')
  if (source.startsWith('env:')) {
    const name = source.slice(4)
    return required(io.environment[name] ?? '', `The environment variable ${name}`)
  }
  if (source.startsWith('file:')) {
    const path = resolve(io.directory, source.slice(5))
    return required(readText(path), `The file ${path}`)
  }
  throw new CliFailure('usage', 'A secret does not belong on the command line.', advice)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliFailure('usage', `The file ${path} cannot be read.`)
  }
}

function required(text: string, where: string): string {
  const secret = text.replace(/\r?\n$/, '')
  if (secret === '') throw new CliFailure('usage', `${where} is empty.`, advice)
  return secret
}
