/** The wire formats that Gatewright speaks. Code exists per dialect, never per vendor. */
export const dialectIds = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'gemini',
  'bedrock-converse',
] as const

export type DialectId = (typeof dialectIds)[number]
