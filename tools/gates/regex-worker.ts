// The thread on which recheck works: its JavaScript backend blocks while it thinks.

import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

/** An expression to prove: source and flags. */
export type RegexQuestion = { readonly pattern: string; readonly flags: string }

/** What is wrong with it; empty when it is proven to match in linear time. */
export type RegexVerdict = { readonly problem: string }

type Recheck = typeof import('recheck')

const thinkingTimeMaxMs = 20_000

// The backend without native code: the same verdicts on every platform.
const { checkSync }: Recheck = createRequire(import.meta.url)('recheck/lib/browser.js')

function judge(question: RegexQuestion): RegexVerdict {
  const result = checkSync(question.pattern, question.flags, { timeout: thinkingTimeMaxMs })
  if (result.status === 'safe') return { problem: '' }
  if (result.status === 'unknown') return { problem: `not proven safe (${result.error.kind})` }
  return { problem: `backtracks, ${result.complexity.summary}, with ${result.attack.pattern.slice(0, 120)}` }
}

const questions: readonly RegexQuestion[] = workerData
parentPort?.postMessage(questions.map(judge))
