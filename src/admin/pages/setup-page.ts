/**
 * `GET /setup#gws_…`: the set-up link. The link's token stands in the fragment, which browsers send to nobody; the
 * page's script posts it once the reader asks for it, so that link previews and prefetching use nothing up.
 */
import { html } from './html.ts'
import { pageFile, type RenderedPage, renderPage } from './page-shell.ts'

const script = pageFile('setup-page-client.js')

export function setupPage(): RenderedPage {
  return renderPage({
    title: 'Set-up · Gatewright',
    aside: html``,
    main: html`<section class="card narrow" aria-labelledby="setup">
<div data-step="ask">
<h1 id="setup">Become the administrator</h1>
<p>This link makes one admin token with all rights. It works once, and for fifteen minutes.</p>
<p class="actions"><button id="create" type="button" class="primary">Create admin token</button></p>
</div>
<div data-step="done" hidden>
<h1 tabindex="-1">Your admin token</h1>
<p>Keep it like a password. It is shown this once and cannot be read again.</p>
<div class="secret"><code id="token"></code><button type="button" class="copy" id="copy-token" aria-label="Copy the admin token">Copy</button></div>
<h2>Next</h2>
<div class="panel"><pre tabindex="0" role="region" aria-label="Next steps"><code>export GATEWRIGHT_TOKEN=<span class="quiet">the token above</span>
npx gatewright status
npx gatewright keys create --app first-application --name mine</code></pre></div>
<p class="hint"><a href="/">To the status page</a></p>
</div>
<div data-step="failed" hidden>
<h1 tabindex="-1">This link does not work</h1>
<p id="reason"></p>
<p>For a new one, run <code>npx gatewright setup-link</code> on the server. While no admin token exists, a restart prints one, too.</p>
</div>
<p id="progress" role="status" class="hidden"></p>
<noscript><p class="message bad">This page needs JavaScript: it keeps the link’s secret out of server logs.</p></noscript>
</section>`,
    script,
    footer: html`<span>Gatewright</span>`,
  })
}
