import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const good = {
  name: 'x',
  issuer: 'https://login.example.com',
  audiences: ['a'],
  application: { slug: 'shop' },
}

test(
  'terms that could not hold are refused, naming the field',
  withAdmin(async (admin) => {
    const cases = [
      [{ audiences: [] }, 'audiences'],
      [{ issuer: 'http://login.example.com' }, 'issuer'],
      [{ jwksUri: 'https://user@login.example.com/keys' }, 'jwksUri'],
      [{ application: {} }, 'application'],
      [{ application: { slug: 'shop', claim: 'azp' } }, 'application'],
      [{ dpop: { mode: 'required' } }, 'dpop.origins'],
      [{ dpop: { mode: 'required', origins: ['https://a.example/path'] } }, 'dpop.origins[0]'],
    ] as const
    for (const [own, param] of cases) {
      const body = { ...good, ...own }
      await admin.refuses(
        'token-issuer-create',
        { body },
        { status: 400, code: 'request.invalid-field', param },
      )
    }
  }),
)

test(
  'symmetric algorithms and none cannot be written',
  withAdmin(async (admin) => {
    for (const algorithm of ['HS256', 'none', 'RSA1_5']) {
      const body = { ...good, algorithms: [algorithm] }
      await admin.refuses('token-issuer-create', { body }, { status: 400, code: 'request.invalid-field' })
    }
  }),
)
