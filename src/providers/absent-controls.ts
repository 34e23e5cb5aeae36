/**
 * Sampling options that some providers have no word for, whatever their dialect: what asks for another answer
 * (several choices, log probabilities) is refused, what only colours the answer is dropped with a downgrade.
 */
import type { CanonicalRequest } from '../domain/canonical.ts'
import { callerField } from './caller-fields.ts'
import { cannotExpress, type NativeTarget } from './native.ts'

/** For dialects without candidates, log probabilities, seeds and penalties. Throws `faults.cannotExpress`. */
export function refuseAbsentControls(request: CanonicalRequest, target: NativeTarget): void {
  const { sampling } = request
  if (sampling.candidates !== undefined && sampling.candidates > 1) {
    throw cannotExpress(callerField(request, 'candidates'), target.dialect, 'it gives one answer per request')
  }
  if (sampling.logprobs === true) {
    throw cannotExpress(callerField(request, 'logprobs'), target.dialect, 'it gives no log probabilities')
  }
  if (sampling.seed !== undefined) {
    target.downgrade({ field: callerField(request, 'seed'), reason: 'the provider takes no seed' })
  }
  for (const option of ['frequencyPenalty', 'presencePenalty'] as const) {
    if ((sampling[option] ?? 0) === 0) continue
    target.downgrade({ field: callerField(request, option), reason: 'the provider has no such control' })
  }
}

const maxTemperature = 1

/** For scales from 0 to 1: other dialects go to 2. */
export function temperatureUpToOne(
  request: CanonicalRequest,
  target: NativeTarget & { readonly same: boolean },
): number | undefined {
  const { temperature } = request.sampling
  if (temperature === undefined || temperature <= maxTemperature || target.same) return temperature
  target.downgrade({
    field: callerField(request, 'temperature'),
    reason: `the provider's scale ends at ${maxTemperature}`,
  })
  return maxTemperature
}
