/**
 * What goes wrong on the command line, with an exit code and a sentence on what to do. The codes are part of the
 * interface: scripts rely on them.
 */

export const exitCodes = {
  done: { code: 0, meaning: 'Done.' },
  failed: {
    code: 1,
    meaning:
      'The operation was refused or failed, `doctor` found a problem, `scan` a secret, or `diff --exit-code` a difference.',
  },
  usage: { code: 2, meaning: 'The command line is not right.' },
  unreachable: { code: 3, meaning: 'The control plane cannot be reached.' },
  denied: { code: 4, meaning: 'There is no token, or it is not valid or lacks a scope.' },
} as const

export type ExitReason = keyof typeof exitCodes

export class CliFailure extends Error {
  readonly reason: ExitReason
  /** What the reader can do about it. */
  readonly advice: string

  constructor(reason: ExitReason, message: string, advice = '') {
    super(message)
    this.name = 'CliFailure'
    this.reason = reason
    this.advice = advice
  }
}
