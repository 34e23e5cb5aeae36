/**
 * `GET /`: what runs and where to go. Without a token it shows figures and addresses that help nobody to attack:
 * no organization, no deployment, no host name of a provider. A reader with an admin token sees the rest, which
 * the page's script fetches from the API; the token stays in the page's memory.
 */
import type { ListenerStatus, StatusReport } from '../context.ts'
import { type Html, html } from './html.ts'
import { pageFile, type RenderedPage, renderPage } from './page-shell.ts'
import { type Snippet, snippets } from './snippets.ts'

const script = pageFile('status-page-client.js')

/** `2 days`, `3 hours`, `1 minute`: the largest unit that fits, rounded down. */
export function describeAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const units: readonly (readonly [string, number])[] = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ]
  for (const [name, size] of units) {
    const count = Math.floor(seconds / size)
    if (count > 0) return `${count} ${name}${count === 1 ? '' : 's'}`
  }
  return 'less than a minute'
}

interface Condition {
  readonly tone: 'good' | 'warn' | 'bad'
  readonly word: string
  readonly sentence: string
}

/** The one sentence that matters. */
function conditionOf(report: StatusReport, now: number): Condition {
  const { running, configured } = report.workers
  const up = `Up for ${describeAge(now - report.startedAt)}`
  if (running === 0) return { tone: 'bad', word: 'Not serving', sentence: `${up}, but no worker runs.` }
  if (report.snapshot.appliedAt === null) {
    return {
      tone: 'warn',
      word: 'Starting',
      sentence: 'The first configuration is on its way to the workers.',
    }
  }
  if (report.snapshot.problem !== null) {
    const sentence = `${up}. The last configuration was refused; the one before stays in force.`
    return { tone: 'warn', word: 'Serving', sentence }
  }
  if (running < configured) {
    return { tone: 'warn', word: 'Serving', sentence: `${up}, with fewer workers than configured.` }
  }
  return { tone: 'good', word: 'Serving', sentence: `${up}. Everything that should run does.` }
}

function fact(label: string, value: string, note: string): Html {
  return html`<div class="fact"><dt>${label}</dt><dd><span class="figure">${value}</span> <span class="note">${note}</span></dd></div>`
}

function plural(count: number, one: string, many: string): string {
  return count === 1 ? one : many
}

function facts(report: StatusReport, now: number): Html {
  const { workers, snapshot } = report
  const restarts = `${workers.restarts} ${plural(workers.restarts, 'restart', 'restarts')}`
  const applied = snapshot.appliedAt === null ? 'none yet' : `for ${describeAge(now - snapshot.appliedAt)}`
  return html`<dl class="facts">
${fact('Workers', `${workers.running}/${workers.configured}`, workers.restarts === 0 ? 'running' : restarts)}
${fact('Model routes', String(report.routeCount), plural(report.routeCount, 'public name', 'public names'))}
${fact('Deployments', String(report.deploymentCount), report.sandboxEnabled ? 'sandbox included' : 'in service')}
${fact('Configuration', String(snapshot.version), applied)}
</dl>`
}

function addressRows(listeners: readonly ListenerStatus[], plane: ListenerStatus['plane']): Html[] {
  return listeners
    .filter((listener) => listener.plane === plane)
    .map(
      ({ url }) =>
        html`<li><code>${url}</code><button type="button" class="copy" data-copy="${url}" aria-label="Copy ${url}">Copy</button></li>`,
    )
}

function addresses(report: StatusReport): Html {
  return html`<section class="card" aria-labelledby="addresses">
<h2 id="addresses">Addresses</h2>
<h3>Data plane <span class="note">your applications call this</span></h3>
<ul class="rows">${addressRows(report.listeners, 'data')}</ul>
<h3>Control plane <span class="note">administration, this page</span></h3>
<ul class="rows">${addressRows(report.listeners, 'control')}</ul>
</section>`
}

function tab(snippet: Snippet, index: number): Html {
  const checked = index === 0 ? html` checked` : html``
  return html`<label class="tab"><input type="radio" name="snippet" value="${snippet.id}"${checked}><span>${snippet.label}</span></label>`
}

function panel({ id, label, code }: Snippet): Html {
  return html`<div class="panel" data-panel="${id}"><pre tabindex="0" role="region" aria-label="First request with ${label}"><code>${code}</code></pre>
<button type="button" class="copy" data-copy="${code}" aria-label="Copy the ${label} example">Copy</button></div>`
}

function firstRequest(report: StatusReport): Html {
  const data = report.listeners.filter((listener) => listener.plane === 'data')
  const origin = (data.find(({ url }) => url.startsWith('http:')) ?? data[0])?.url ?? 'http://127.0.0.1:8080'
  const model = report.sandboxEnabled ? 'sandbox' : 'your-model'
  const examples = snippets({ origin, model })
  return html`<section class="card" aria-labelledby="first">
<div class="split"><h2 id="first">First request</h2>
<fieldset class="tabs"><legend class="hidden">Language of the example</legend>${examples.map(tab)}</fieldset></div>
<div class="panels">${examples.map(panel)}</div>
<p class="hint">No key yet? <code>npx gatewright keys create --app first-application --name mine</code></p>
</section>`
}

const destinations: readonly (readonly [command: string, purpose: string])[] = [
  ['gatewright status', 'this page in the terminal'],
  ['gatewright providers add', 'connect a model provider'],
  ['gatewright models add', 'publish a model name'],
  ['gatewright usage', 'tokens, cost and latency'],
  ['gatewright doctor', 'find out what is wrong'],
]

function whereToGo(): Html {
  const rows = destinations.map(
    ([command, purpose]) => html`<li><code>${command}</code><span class="note">${purpose}</span></li>`,
  )
  return html`<section class="card" aria-labelledby="next">
<h2 id="next">Where to go <span class="note">in a clone, npx gatewright …</span></h2>
<ul class="rows wide">${rows}</ul>
</section>`
}

function lookInside(): Html {
  return html`<section class="card" aria-labelledby="inside">
<h2 id="inside">Look inside</h2>
<form id="inside-form" class="ask">
<label for="inside-token">Admin token</label>
<input id="inside-token" type="password" autocomplete="off" spellcheck="false" placeholder="gwa_…" required>
<button type="submit">Show</button>
<p class="hint">Kept in this page only, gone when you leave it.</p>
</form>
<p id="inside-message" role="status" class="message" hidden></p>
<div id="inside-result" hidden></div>
</section>`
}

export function statusPage(report: StatusReport, now: number): RenderedPage {
  const condition = conditionOf(report, now)
  return renderPage({
    title: `${condition.word} · Gatewright`,
    aside: html`<nav aria-label="Documentation"><a href="/api/v1/openapi.json">API description</a><a href="${report.documentationUrl}" rel="noreferrer">Errors explained</a></nav>`,
    main: html`<div class="hero"><h1><span class="dot ${condition.tone}" aria-hidden="true"></span>${condition.word}</h1><p>${condition.sentence}</p></div>
${facts(report, now)}
<div class="columns"><div class="stack">${firstRequest(report)}${lookInside()}</div><div class="stack">${addresses(report)}${whereToGo()}</div></div>`,
    script,
    footer: html`<span>Gatewright ${report.version}</span><span>Node.js ${report.nodeVersion}</span>`,
  })
}
