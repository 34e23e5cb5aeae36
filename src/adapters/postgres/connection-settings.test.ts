/** What a database URL and the options mean, and that TLS is what it says: against a real server. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { postgresMissing, startPostgres } from '../../../test/fixtures/postgres/postgres-server.ts'
import { Fault } from '../../kernel/fault.ts'
import { ensureLocalCertificate } from '../local-authority/local-authority.ts'
import { connectionSettings, type PostgresOptions, type PostgresTls } from './connection-settings.ts'
import { describeConnectFailure } from './describe-connect-failure.ts'
import { openPostgresDatabase } from './open-postgres-store.ts'

function optionsOf(url: string, tls: PostgresTls = { mode: 'auto' }): PostgresOptions {
  return { url, tls, poolSize: 2, connectTimeoutMs: 5000, statementTimeoutMs: 1000 }
}

test('a URL names host, port, user, password and database; nothing else is taken', () => {
  const { host, port, user, password, database } = connectionSettings(
    optionsOf('postgres://gate:p%40ss@db.example:6432/wright'),
  )
  assert.deepEqual([host, port, user, password, database], ['db.example', 6432, 'gate', 'p@ss', 'wright'])
  const plain = connectionSettings(optionsOf('postgresql://gate@[2001:db8::1]/wright'))
  assert.deepEqual([plain.host, plain.port, plain.password], ['2001:db8::1', 5432, undefined])
  const socket = connectionSettings(optionsOf('postgres:///wright?host=/run/postgresql&user=gate'))
  assert.deepEqual([socket.host, socket.user, socket.ssl], ['/run/postgresql', 'gate', false])
  for (const url of [
    'hunter2',
    'mysql://gate:hunter2@db/wright',
    'postgres://gate:hunter2@db/',
    'postgres://:hunter2@db/wright',
    'postgres://gate:hunter2@db/wright?sslmode=disable',
  ]) {
    assert.throws(
      () => connectionSettings(optionsOf(url)),
      (error) => error instanceof Fault && !error.message.includes('hunter2'),
      url,
    )
  }
})

test('away from this machine TLS is verified unless it is switched off', () => {
  const tlsOf = (url: string, tls: PostgresTls) => connectionSettings(optionsOf(url, tls)).ssl
  const far = 'postgres://gate@db.example/wright'
  const near = 'postgres://gate@127.0.0.1/wright'
  assert.equal(tlsOf(near, { mode: 'auto' }), false)
  assert.equal(tlsOf(far, { mode: 'off' }), false)
  for (const [url, mode] of [
    [far, 'auto'],
    [far, 'verify'],
    [near, 'verify'],
  ] as const) {
    const ssl = tlsOf(url, { mode })
    assert.ok(typeof ssl === 'object' && ssl.rejectUnauthorized === true && ssl.minVersion === 'TLSv1.2')
  }
})

describe('TLS to PostgreSQL', { skip: postgresMissing() }, () => {
  test('a trusted certificate of the right name is taken; any other ends the connection', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewright-postgres-tls-'))
    await ensureLocalCertificate(directory, ['127.0.0.1'], Date.now())
    const server = await startPostgres({
      tls: { certificateFile: join(directory, 'server.crt'), keyFile: join(directory, 'server.key') },
    })
    try {
      const url = await server.createDatabase()
      const authority = readFileSync(join(directory, 'ca.crt'), 'utf8')
      const attempt = async (own: PostgresOptions): Promise<string> => {
        try {
          const db = await openPostgresDatabase(own)
          await db.destroy()
          return 'open'
        } catch (error) {
          return describeConnectFailure(error, own)
        }
      }
      assert.equal(await attempt(optionsOf(url, { mode: 'verify', authority })), 'open')
      assert.match(await attempt(optionsOf(url, { mode: 'verify' })), /certificate that is not trusted/)
      const renamed = url.replace('127.0.0.1', 'localhost')
      assert.match(
        await attempt(optionsOf(renamed, { mode: 'verify', authority })),
        /certificate of another name/,
      )
    } finally {
      await server.stop()
      rmSync(directory, { recursive: true })
    }
  })
})
