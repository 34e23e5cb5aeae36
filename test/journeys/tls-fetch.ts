/** `fetch` that trusts one authority besides the public ones, as an application would set it up. */
import { Agent, fetch as undiciFetch } from 'undici'

export function tlsFetch(authority: string): typeof fetch {
  const dispatcher = new Agent({ connect: { ca: authority } })
  return ((input: string, init: object) =>
    undiciFetch(input, { ...init, dispatcher })) as unknown as typeof fetch
}
