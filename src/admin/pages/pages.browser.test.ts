import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import axe from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { requireSystemProgram } from '../../../tools/system-packages.ts'
import { newId } from '../../kernel/ids.ts'
import { type StartedAdmin, startAdmin } from '../harness/start-admin.ts'
import { issueAdminToken } from '../issue-admin-token.ts'
import { issueSetupLink } from '../setup-link.ts'

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

let admin: StartedAdmin
let browser: Browser
let url: string

before(async () => {
  admin = await startAdmin()
  url = await admin.app.listen({ host: '127.0.0.1', port: 0 })
  browser = await chromium.launch({ executablePath: requireSystemProgram('chromium'), args })
})
after(async () => {
  await browser.close()
  await admin.stop()
})

const looks = [
  { colorScheme: 'light', viewport: { width: 1280, height: 860 } },
  { colorScheme: 'dark', viewport: { width: 1280, height: 860 } },
  { colorScheme: 'light', viewport: { width: 360, height: 740 } },
  { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
] as const

/** Runs `body` on a page in every look; fails on anything that the browser complains about. */
async function inEveryLook(body: (page: Page) => Promise<void>): Promise<void> {
  for (const look of looks) {
    // The page's own policy would refuse the script of axe; that policy is proven by the test of the headers.
    const context = await browser.newContext({ ...look, bypassCSP: true })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await body(page)
    assert.deepEqual(complaints, [])
    await context.close()
  }
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly html: string }[]
  }[]
}

async function requireAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as AxeResult
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`),
    [],
  )
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  assert.equal(overflow, 0, 'the page scrolls sideways')
}

async function makeToken(): Promise<string> {
  const order = {
    name: 'test',
    scopes: ['admin'],
    organizationId: null,
    expiresAt: null,
    managedBy: 'setup',
  } as const
  return (await issueAdminToken(admin.deps, order)).secret
}

test('the status page is accessible, light and dark, wide and narrow', () =>
  inEveryLook(async (page) => {
    await page.goto(url)
    await requireAccessible(page)
    await page.getByText('TypeScript', { exact: true }).click()
    await page.getByRole('region', { name: 'First request with TypeScript' }).waitFor()
  }))

test('with an admin token the status page shows deployments and routes, accessibly', () =>
  inEveryLook(async (page) => {
    const token = await makeToken()
    const { store, clock } = admin.deps
    if ((await store.organizations.find('acme')) === null) {
      const now = clock.now()
      await store.organizations.create({
        id: newId('org'),
        slug: 'acme',
        name: 'A <b>bold</b> name',
        keyPolicy: {},
        createdAt: now,
        updatedAt: now,
        managedBy: 'api',
      })
    }
    await page.goto(url)
    await page.getByLabel('Admin token').fill(token)
    await page.keyboard.press('Enter')
    await page.getByText('A <b>bold</b> name').waitFor()
    await requireAccessible(page)
  }))

test('a wrong admin token is refused in words', () =>
  inEveryLook(async (page) => {
    page.removeAllListeners('console')
    await page.goto(url)
    await page.getByLabel('Admin token').fill('gwa_wrong')
    await page.keyboard.press('Enter')
    await page.getByText('A valid admin token is required.').waitFor()
    await requireAccessible(page)
  }))

test('the set-up link gives a token once, leaves the address bar, and then says why it does not work', () =>
  inEveryLook(async (page) => {
    const { path } = await issueSetupLink(admin.deps)
    await page.goto(url + path)
    assert.equal(page.url(), `${url}/setup`)
    await requireAccessible(page)
    await page.getByRole('button', { name: 'Create admin token' }).click()
    const token = await page.getByText(/^gwa_/).textContent()
    await requireAccessible(page)
    const reply = await fetch(`${url}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(reply.status, 200)
    page.removeAllListeners('console')
    await page.goto('about:blank')
    await page.goto(url + path)
    await page.getByRole('button', { name: 'Create admin token' }).click()
    await page.getByText('The set-up link is used up or has expired.').waitFor()
    await requireAccessible(page)
  }))

test("the pages work under their own policy, which lets in nothing but the page's own parts", async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => complaints.push(message.text()))
  await page.goto(url)
  assert.equal(await page.evaluate('getComputedStyle(document.body).margin'), '0px')
  await page.goto(`${url}/setup`)
  await page.getByText('The address has no link token').waitFor()
  assert.deepEqual(complaints, [])
  assert.deepEqual(
    requests.filter((request) => !request.startsWith('data:')),
    [`${url}/`, `${url}/setup`],
  )
  await context.close()
})
