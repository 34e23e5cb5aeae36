/** HTML with every inserted value escaped unless it is HTML already. Bounds: pages are small and built per request. */

export interface Html {
  readonly html: string
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text safe in element content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char)
}

type Insert = Html | string | number | readonly Html[]

function insert(value: Insert): string {
  if (typeof value === 'string') return escapeHtml(value)
  if (typeof value === 'number') return String(value)
  return 'html' in value ? value.html : value.map((part) => part.html).join('')
}

export function html(parts: TemplateStringsArray, ...values: readonly Insert[]): Html {
  let text = parts[0] ?? ''
  values.forEach((value, index) => {
    text += insert(value) + (parts[index + 1] ?? '')
  })
  return { html: text }
}

/** Text that is HTML, CSS or script already: our own files only. */
export function trusted(text: string): Html {
  return { html: text }
}
