/**
 * The frame of both pages: head, top bar, footer. Style and script stand inline under a fresh nonce, so a page is
 * one request, loads nothing from anywhere, and runs nothing that was not in it.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pagePolicy } from '../security-headers.ts'
import { type Html, html, trusted } from './html.ts'

export interface PageContent {
  readonly title: string
  readonly main: Html
  readonly aside: Html
  readonly script: string
  readonly footer: Html
}

export interface RenderedPage {
  readonly body: string
  /** Value of `Content-Security-Policy`. */
  readonly policy: string
}

/** A file beside this one, read once when the module loads. */
export function pageFile(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

const style = pageFile('page.css')

/** A gate with its bar: one stroke drawing, in the colour of the text around it. */
export const mark = trusted(
  '<svg class="mark" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="M4 21V8.5a8 8 0 0 1 16 0V21"/><path d="M9 21v-8.5a3 3 0 0 1 6 0V21"/><path d="M2.5 21h19"/></svg>',
)

const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#0f766e" stroke-width="2.4" stroke-linecap="round"><path d="M4 21V8.5a8 8 0 0 1 16 0V21M9 21v-8.5a3 3 0 0 1 6 0V21M2.5 21h19"/></svg>',
)}`

export function renderPage(content: PageContent): RenderedPage {
  const nonce = randomBytes(18).toString('base64url')
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${content.title}</title>
<link rel="icon" href="${icon}">
<style nonce="${nonce}">${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="bar"><div class="wrap">
<a class="brand" href="/">${mark}<span>Gatewright</span></a>
${content.aside}
</div></header>
<main id="main" class="wrap">${content.main}</main>
<footer class="wrap foot">${content.footer}</footer>
<script nonce="${nonce}">${trusted(content.script)}</script>
</body>
</html>
`
  return { body: page.html, policy: pagePolicy(nonce) }
}
