/**
 * OpenAI's legacy completions as far as the sandbox needs them: a prompt becomes one user message, the text of the
 * answer goes back. Errors have the shape of every OpenAI error.
 */
import type { CanonicalError, StopReason } from '../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts'
import type { TokenUsage } from '../../domain/usage.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { textOf } from './reply.ts'
import type { Shape } from './shape.ts'

function readPrompt(prompt: JsonValue | undefined): string {
  if (typeof prompt === 'string') return prompt
  const first = Array.isArray(prompt) ? prompt[0] : undefined
  if (typeof first === 'string') return first
  if (Array.isArray(prompt)) return prompt.flat().join(' ')
  throw new Fault(faults.missingField, { public: { field: 'prompt' }, param: 'prompt' })
}

function readStops(stop: JsonValue | undefined): readonly string[] {
  const list = Array.isArray(stop) ? stop : [stop]
  return list.filter((item) => typeof item === 'string')
}

function finishReason(reason: StopReason): string {
  return reason === 'length' ? 'length' : 'stop'
}

function writeUsage(usage: TokenUsage): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
  }
}

function writeError(error: CanonicalError): JsonObject {
  const { message, code, param = null } = error
  return {
    error: { message, type: error.status < 500 ? 'invalid_request_error' : 'server_error', param, code },
  }
}

function event(data: JsonObject): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

export const completionsShape: Shape = {
  readRequest: (body) => {
    const { model, max_tokens: maxTokens, n } = body
    const options = body['stream_options']
    return {
      model: typeof model === 'string' ? model : 'sandbox',
      messages: [{ role: 'user', parts: [{ type: 'text', text: readPrompt(body['prompt']) }] }],
      tools: [],
      builtinTools: [],
      sampling: typeof n === 'number' ? { candidates: n } : {},
      ...(typeof maxTokens === 'number' ? { maxOutputTokens: maxTokens } : {}),
      stopSequences: readStops(body['stop']),
      stream: body['stream'] === true,
      streamUsage: isJsonObject(options) && options['include_usage'] === true,
    }
  },
  writeResponse: (response) => ({
    id: response.id,
    object: 'text_completion',
    created: response.created,
    model: response.model,
    choices: response.choices.map((choice) => ({
      text: textOf(choice.parts),
      index: choice.index,
      logprobs: null,
      finish_reason: finishReason(choice.stopReason),
    })),
    ...(response.usage === undefined ? {} : { usage: writeUsage(response.usage) }),
  }),
  streamWriter: (ctx) => {
    let stem: JsonObject = {}
    const choice = (index: number, text: string, reason: string | null): string =>
      event({ ...stem, choices: [{ text, index, logprobs: null, finish_reason: reason }] })
    return {
      contentType: 'text/event-stream',
      write: (next) => {
        switch (next.type) {
          case 'start':
            stem = { id: next.id, object: 'text_completion', created: next.created, model: ctx.model }
            return ''
          case 'delta':
            return choice(next.choice, next.text, null)
          case 'finish':
            return choice(next.choice, '', finishReason(next.stopReason))
          case 'usage':
            return ctx.request.streamUsage === true
              ? event({ ...stem, choices: [], usage: writeUsage(next.usage) })
              : ''
          case 'error':
            return event(writeError(next.error))
          case 'end':
            return 'data: [DONE]\n\n'
          case 'part-start':
          case 'part-end':
            return ''
        }
      },
    }
  },
  writeError,
  writeStreamError: (error) => event(writeError(error)),
}
