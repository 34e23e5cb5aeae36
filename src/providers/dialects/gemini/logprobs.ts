/** `logprobsResult` ↔ the log probabilities of the canonical form, which have OpenAI's shape. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { isJsonArray, objectsIn, stringOr } from '../../reading.ts'

export function fromLogprobs(result: JsonObject): JsonValue {
  const top = objectsIn(result['topCandidates'])
  const content = objectsIn(result['chosenCandidates']).map((chosen, index) => ({
    ...tokenOf(chosen),
    top_logprobs: objectsIn(top[index]?.['candidates']).map(tokenOf),
  }))
  return { content }
}

function tokenOf(candidate: JsonObject): { token: string; logprob: number; bytes: readonly number[] } {
  const token = stringOr(candidate['token'], '')
  const logprob = candidate['logProbability']
  return { token, logprob: typeof logprob === 'number' ? logprob : 0, bytes: [...Buffer.from(token)] }
}

/** Undefined where the value does not have that shape. */
export function toLogprobs(logprobs: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(logprobs) || !isJsonArray(logprobs['content'])) return undefined
  const tokens = objectsIn(logprobs['content'])
  return {
    chosenCandidates: tokens.map(candidateOf),
    topCandidates: tokens.map((token) => ({ candidates: objectsIn(token['top_logprobs']).map(candidateOf) })),
  }
}

function candidateOf(token: JsonObject): JsonObject {
  return { token: token['token'], logProbability: token['logprob'] }
}
