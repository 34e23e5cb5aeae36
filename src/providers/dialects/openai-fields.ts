/**
 * What the two OpenAI dialects say with the same word and the same meaning at the top of a request: these fields
 * pass between them untouched.
 */
export const sharedOpenAiFields: ReadonlySet<string> = new Set([
  'moderation',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'store',
])
