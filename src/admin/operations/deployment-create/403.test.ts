import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'what reads the server or reaches its network takes an administrator of the installation',
  withAdmin(async (admin) => {
    const bodies = [
      { slug: 'x', provider: 'openai', credential: { references: { apiKey: 'file:/etc/shadow' } } },
      { slug: 'x', provider: 'openai', baseUrl: 'http://169.254.169.254', allowPrivateNetwork: true },
    ]
    const writer = await admin.token(['read', 'write', 'keys'])
    const bound = await admin.token(['admin'], 'acme')
    for (const body of bodies) {
      await admin.refuses(
        'deployment-create',
        { body, token: writer },
        { status: 403, code: 'access.scope-denied' },
      )
      await admin.refuses(
        'deployment-create',
        { body, token: bound },
        { status: 403, code: 'admin.organization-bound' },
      )
    }
  }),
)
