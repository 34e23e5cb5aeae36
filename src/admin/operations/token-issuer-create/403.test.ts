import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'introspection, private networks and references take an administrator of the installation',
  withAdmin(async (admin) => {
    const good = { name: 'x', issuer: 'https://a.example', audiences: ['a'], application: { slug: 'shop' } }
    const bodies = [
      { ...good, introspection: { endpoint: 'https://a.example/i', clientId: 'g' } },
      { ...good, allowPrivateNetwork: true },
      { ...good, credential: { references: { clientSecret: 'env:HOME' } } },
    ]
    const token = await admin.token(['admin'], 'acme')
    for (const body of bodies)
      await admin.refuses(
        'token-issuer-create',
        { body, token },
        { status: 403, code: 'admin.organization-bound' },
      )
  }),
)
