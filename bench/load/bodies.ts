/** Request bodies of the measurements. */

/** Model names that every gateway routes to the two mocks. */
export const unaryModel = 'bench-unary'
export const streamModel = 'bench-stream'

function sized(model: string, bytes: number): string {
  const around = JSON.stringify({ model, messages: [{ role: 'user', content: '' }] }).length
  return JSON.stringify({
    model,
    messages: [{ role: 'user', content: 'word '.repeat(bytes / 5).slice(0, bytes - around) }],
  })
}

/** A prompt of 1 KB. */
export const smallBody = sized(unaryModel, 1024)
/** A prompt of 100 KB, for the mock that reads bodies to their end. */
export const largeBody = sized(streamModel, 102_400)

/** A request for a stream of `chunks` chunks, one every `everyMs`. */
export function streamBody(chunks: number, everyMs: number): string {
  return JSON.stringify({
    model: streamModel,
    stream: true,
    messages: [{ role: 'user', content: `chunks=${chunks} every=${everyMs}` }],
  })
}
