/** First requests to the data plane, ready to paste. The key stands in an environment variable, never in the text. */

export interface Snippet {
  readonly id: string
  readonly label: string
  readonly code: string
}

export interface SnippetTarget {
  /** Origin of the data plane. */
  readonly origin: string
  readonly model: string
}

export function snippets({ origin, model }: SnippetTarget): readonly Snippet[] {
  return [
    {
      id: 'curl',
      label: 'curl',
      code: `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer $GATEWRIGHT_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}",
       "messages": [{"role": "user", "content": "Hello"}]}'`,
    },
    {
      id: 'python',
      label: 'Python',
      code: `import os
from openai import OpenAI

client = OpenAI(base_url="${origin}/v1",
                api_key=os.environ["GATEWRIGHT_API_KEY"])
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hello"}])
print(answer.choices[0].message.content)`,
    },
    {
      id: 'typescript',
      label: 'TypeScript',
      code: `import OpenAI from 'openai'

const client = new OpenAI({
  baseURL: '${origin}/v1',
  apiKey: process.env.GATEWRIGHT_API_KEY,
})
const answer = await client.chat.completions.create({
  model: '${model}',
  messages: [{ role: 'user', content: 'Hello' }],
})
console.log(answer.choices[0].message.content)`,
    },
  ]
}
