// Turns the events of Node's test runner into a short report: a line for each file, each failure in
// full, the runner's summary last, in the form that tools count ("ℹ tests 12").
//
// Bound: the last 20,000 characters that a file wrote are kept, and shown only where it failed.

import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

const outputKept = 20_000

type FileState = { readonly failures: string[]; readonly skips: string[]; output: string; tests: number }
type Summary = Extract<TestEvent, { type: 'test:summary' }>['data']

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
  return text.replace(/^ +at .*node:(?:internal|async_hooks).*\n?/gm, '').trimEnd()
}

/** What is known of each file that has not ended, by path. */
function createFileStates() {
  const files = new Map<string, FileState>()
  const stateOf = (file: string | undefined): FileState => {
    const name = file ?? 'a file that is not known'
    let state = files.get(name)
    if (state === undefined) {
      state = { failures: [], skips: [], output: '', tests: 0 }
      files.set(name, state)
    }
    return state
  }
  return { files, stateOf }
}

function describeFile(name: string, state: FileState, seconds: number): string {
  const mark = state.failures.length === 0 ? 'ok  ' : 'FAIL'
  const tests = `${state.tests} ${state.tests === 1 ? 'test' : 'tests'}`
  const lines = [`${mark} ${name.padEnd(64)} ${tests.padStart(9)} ${seconds.toFixed(1).padStart(6)} s`]
  for (const skip of state.skips) lines.push(indent(`skipped: ${skip}`))
  for (const failure of state.failures) lines.push(indent(failure))
  if (state.failures.length > 0 && state.output !== '') {
    lines.push(indent(`what it wrote:\n${state.output.trimEnd()}`))
  }
  return lines.join('\n')
}

function takeFailure(state: FileState, error: unknown, path: string): void {
  // A suite fails because of a test inside it, which is told where it stands.
  if (error instanceof Error && 'failureType' in error && error.failureType === 'subtestsFailed') return
  state.failures.push(`✖ ${path}\n${indent(describeError(error))}`)
}

interface Total {
  tests: number
  suites: number
  passed: number
  failed: number
  cancelled: number
  skipped: number
  todo: number
  durationMs: number
}

function addUp(summaries: readonly Summary[]): Total {
  const total = {
    tests: 0,
    suites: 0,
    passed: 0,
    failed: 0,
    cancelled: 0,
    skipped: 0,
    todo: 0,
    durationMs: 0,
  }
  for (const { counts, duration_ms: durationMs } of summaries) {
    total.tests += counts.tests
    total.suites += counts.suites
    total.passed += counts.passed
    total.cancelled += counts.cancelled
    total.skipped += counts.skipped
    total.todo += counts.todo
    total.failed += counts.tests - counts.passed - counts.cancelled - counts.skipped - counts.todo
    total.durationMs += durationMs
  }
  return total
}

function describeSummary(total: Total): string {
  return [
    '',
    `ℹ tests ${total.tests}`,
    `ℹ suites ${total.suites}`,
    `ℹ pass ${total.passed}`,
    `ℹ fail ${total.failed}`,
    `ℹ cancelled ${total.cancelled}`,
    `ℹ skipped ${total.skipped}`,
    `ℹ todo ${total.todo}`,
    `ℹ duration_ms ${total.durationMs.toFixed(0)}`,
  ].join('\n')
}

export function createTestReport(root: string, print: (text: string) => void): TestReport {
  const { files, stateOf } = createFileStates()
  const path: string[] = []
  // One for each run of the runner.
  const summaries: Summary[] = []
  const endFile = (file: string, seconds: number): void => {
    const state = stateOf(file)
    files.delete(file)
    // Tests of a contract suite name the suite's file; they belong to the test file that ran it. Files
    // are reported one after another, so what is open now is of this one.
    for (const [other, suite] of [...files].filter(([name]) => !name.endsWith('.test.ts'))) {
      state.tests += suite.tests
      state.failures.push(...suite.failures)
      state.skips.push(...suite.skips)
      files.delete(other)
    }
    print(describeFile(relative(root, file), state, seconds))
  }
  const take = (event: TestEvent): void => {
    if (event.type === 'test:start') {
      path.length = event.data.nesting
      path[event.data.nesting] = event.data.name
    } else if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      const state = stateOf(event.data.file)
      state.output = (state.output + event.data.message).slice(-outputKept)
    } else if (event.type === 'test:pass' || event.type === 'test:fail') {
      const { data } = event
      const state = stateOf(data.file)
      const name = [...path.slice(0, data.nesting), data.name].join(' › ')
      if (data.details.type !== 'suite') state.tests += 1
      if (data.skip !== undefined && data.skip !== false) state.skips.push(`${name} (${data.skip})`)
      if (event.type === 'test:fail' && data.todo === undefined)
        takeFailure(state, event.data.details.error, name)
    } else if (event.type === 'test:summary') {
      if (event.data.file === undefined) summaries.push(event.data)
      else endFile(event.data.file, event.data.duration_ms / 1000)
    }
  }
  const finish = (): number => {
    for (const file of [...files.keys()]) endFile(file, 0)
    if (summaries.length === 0) {
      print('the test runner gave no summary')
      return 1
    }
    const total = addUp(summaries)
    print(describeSummary(total))
    return Math.max(total.failed + total.cancelled, summaries.every(({ success }) => success) ? 0 : 1)
  }
  return { take, finish }
}
