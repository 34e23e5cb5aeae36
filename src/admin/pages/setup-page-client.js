// Browser side of the set-up page. The secret leaves the address bar before anything else happens, so that neither
// history nor a shared screenshot keeps it.
;(() => {
  const secret = location.hash.slice(1)
  history.replaceState(null, '', location.pathname)

  const step = (name) => {
    for (const part of document.querySelectorAll('[data-step]')) part.hidden = part.dataset.step !== name
    document.querySelector(`[data-step="${name}"] h1`)?.focus()
  }

  const fail = (reason) => {
    document.getElementById('reason').textContent = reason
    step('failed')
  }

  const exchange = async () => {
    const reply = await fetch('/api/v1/setup/exchange', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: secret }),
    })
    const body = await reply.json()
    if (!reply.ok) throw new Error(body.error.message)
    return body.secret
  }

  const show = (token) => {
    document.getElementById('token').textContent = token
    step('done')
  }

  const create = document.getElementById('create')
  create.addEventListener('click', () => {
    create.disabled = true
    document.getElementById('progress').textContent = 'Creating the token'
    exchange().then(show, (error) => fail(error.message))
  })

  const copy = document.getElementById('copy-token')
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById('token').textContent)
    copy.textContent = 'Copied'
  })

  if (secret === '')
    fail('The address has no link token: open the link as it was printed, with everything after #.')
})()
