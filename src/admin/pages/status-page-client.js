// Browser side of the status page: copy buttons, and the view behind an admin token. Everything is written as text,
// never as HTML.
;(() => {
  const copied = 1500
  for (const button of document.querySelectorAll('[data-copy]')) {
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(button.dataset.copy)
      button.textContent = 'Copied'
      setTimeout(() => {
        button.textContent = 'Copy'
      }, copied)
    })
  }

  const form = document.getElementById('inside-form')
  const message = document.getElementById('inside-message')
  const result = document.getElementById('inside-result')

  const say = (text) => {
    message.textContent = text
    message.hidden = text === ''
  }

  const read = async (token, path) => {
    const reply = await fetch(`/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })
    const body = await reply.json()
    if (!reply.ok) throw new Error(body.error.message)
    return body
  }

  const element = (name, text, className = '') => {
    const made = document.createElement(name)
    made.textContent = text
    if (className !== '') made.className = className
    return made
  }

  const table = (caption, heads, rows) => {
    const made = document.createElement('table')
    made.append(element('caption', caption))
    const head = made.createTHead().insertRow()
    for (const text of heads) {
      const cell = element('th', text)
      cell.scope = 'col'
      head.append(cell)
    }
    const body = made.createTBody()
    for (const texts of rows) {
      const row = body.insertRow()
      for (const text of texts) row.append(element('td', text))
    }
    const box = element('div', '', 'scroll')
    box.tabIndex = 0
    box.setAttribute('role', 'region')
    box.setAttribute('aria-label', caption)
    box.append(rows.length === 0 ? element('p', `${caption}: none yet.`, 'hint') : made)
    return box
  }

  const targets = (route) =>
    route.targets
      .map((target) => (target.model === null ? target.deployment : `${target.deployment} → ${target.model}`))
      .join(', ')

  const showOrganization = async (token, organization) => {
    const base = `/organizations/${organization.id}`
    const [deployments, routes] = await Promise.all([
      read(token, `${base}/deployments?limit=100`),
      read(token, `${base}/routes?limit=100`),
    ])
    const state = (record) => (record.enabled ? 'in service' : 'off')
    return [
      element('h3', organization.name),
      table(
        'Deployments',
        ['Name', 'Provider', 'Credential', 'State', 'Managed by'],
        deployments.items.map((d) => [d.slug, d.provider, d.credential.kind, state(d), d.managedBy]),
      ),
      table(
        'Model routes',
        ['Model', 'Served by', 'State', 'Managed by'],
        routes.items.map((r) => [r.name, targets(r), state(r), r.managedBy]),
      ),
    ]
  }

  const show = async (token) => {
    const { items } = await read(token, '/organizations?limit=20')
    const parts = await Promise.all(items.map((organization) => showOrganization(token, organization)))
    result.replaceChildren(...parts.flat())
    result.hidden = false
    form.hidden = true
    say('')
    result.querySelector('[tabindex]')?.focus()
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    say('Asking …')
    show(document.getElementById('inside-token').value.trim()).catch((error) => say(error.message))
  })
})()
