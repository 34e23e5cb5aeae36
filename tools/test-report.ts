// Turns the events of Node's test runner into a short report: a line for each file, each failure in
// full, the runner's summary last, in the form that tools count ("ℹ tests 12").
//
// Bound: the last 20,000 characters that a file wrote are kept, and shown only where it failed.

import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

const outputKept = 20_000

type FileState = { readonly failures: string[]; readonly skips: string[]; output: string; tests: number }
type Failure = { readonly name: string; readonly details: { readonly error?: unknown } }

/** Takes the runner's events; `finish` prints the summary and returns how many tests failed. */
export type TestReport = { readonly take: (event: TestEvent) => void; readonly finish: () => number }

function indent(text: string): string {
  return text.replace(/^/gm, '       ')
}

/** The runner wraps what a test threw; the cause is what a reader wants. */
function describeError(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const text =
    cause instanceof Error && cause.stack !== undefined && !('actual' in cause)
      ? cause.stack
      : inspect(cause, { depth: 6, breakLength: 110 })
  return text.replace(/^ +at .*node:internal.*\n?/gm, '').trimEnd()
}

export function createTestReport(root: string, print: (text: string) => void): TestReport {
  const files = new Map<string, FileState>()
  const stack: string[] = []
  let summary: Extract<TestEvent, { type: 'test:summary' }>['data'] | undefined
  const stateOf = (file: string | undefined): FileState => {
    const name = file ?? 'a file that is not known'
    let state = files.get(name)
    if (state === undefined) {
      state = { failures: [], skips: [], output: '', tests: 0 }
      files.set(name, state)
    }
    return state
  }
  const printFile = (file: string, seconds: number): void => {
    const state = stateOf(file)
    const mark = state.failures.length === 0 ? 'ok  ' : 'FAIL'
    const tests = `${state.tests} ${state.tests === 1 ? 'test' : 'tests'}`
    print(
      `${mark} ${relative(root, file).padEnd(64)} ${tests.padStart(9)} ${seconds.toFixed(1).padStart(6)} s`,
    )
    for (const skip of state.skips) print(indent(`skipped: ${skip}`))
    for (const failure of state.failures) print(indent(failure))
    if (state.failures.length > 0 && state.output !== '')
      print(indent(`what it wrote:\n${state.output.trimEnd()}`))
    files.delete(file)
  }
  const takeFailure = (file: string | undefined, data: Failure, path: string): void => {
    const error: unknown = data.details.error
    // A suite or file fails because of what is inside it, which has been told already.
    const code = error instanceof Error && 'failureType' in error ? error.failureType : undefined
    if (code === 'subtestsFailed' && stateOf(file).failures.length > 0) return
    stateOf(file).failures.push(`✖ ${path}\n${indent(describeError(error))}`)
  }
  const take = (event: TestEvent): void => {
    if (event.type === 'test:start') {
      stack.length = event.data.nesting
      stack[event.data.nesting] = event.data.name
    } else if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      const state = stateOf(event.data.file)
      state.output = (state.output + event.data.message).slice(-outputKept)
    } else if (event.type === 'test:pass' || event.type === 'test:fail') {
      const { data } = event
      const path = [...stack.slice(0, data.nesting), data.name].join(' › ')
      if (data.details.type !== 'suite') stateOf(data.file).tests += 1
      if (data.skip !== undefined && data.skip !== false)
        stateOf(data.file).skips.push(`${path} (${data.skip})`)
      if (event.type === 'test:fail' && data.todo === undefined) takeFailure(data.file, event.data, path)
    } else if (event.type === 'test:summary') {
      if (event.data.file === undefined) summary = event.data
      else printFile(event.data.file, event.data.duration_ms / 1000)
    }
  }
  const finish = (): number => {
    for (const file of [...files.keys()]) printFile(file, 0)
    if (summary === undefined) {
      print('the test runner gave no summary')
      return 1
    }
    const { counts } = summary
    const failed = counts.tests - counts.passed - counts.cancelled - counts.skipped - counts.todo
    print('')
    print(`ℹ tests ${counts.tests}`)
    print(`ℹ suites ${counts.suites}`)
    print(`ℹ pass ${counts.passed}`)
    print(`ℹ fail ${failed}`)
    print(`ℹ cancelled ${counts.cancelled}`)
    print(`ℹ skipped ${counts.skipped}`)
    print(`ℹ todo ${counts.todo}`)
    print(`ℹ duration_ms ${summary.duration_ms.toFixed(0)}`)
    return Math.max(failed + counts.cancelled, summary.success ? 0 : 1)
  }
  return { take, finish }
}
