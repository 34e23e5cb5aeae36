import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContentRecord } from '../../../domain/content.ts'
import { startedAt } from '../../harness/start-admin.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'content is shown as it was, bytes that are no text as base64, and the reading is noted',
  withAdmin(async (admin) => {
    const organizationId = (await admin.call('organization-get')).body.id
    const record: ContentRecord = {
      id: 'req_1',
      time: startedAt,
      organizationId,
      applicationId: 'app_a',
      keyId: 'key_a',
      operation: 'audio.speech',
      model: 'tts',
      status: 200,
      request: { contentType: 'application/json', bytes: 12, kept: Buffer.from('{"input":"é') },
      response: { contentType: 'audio/mpeg', bytes: 900, kept: Uint8Array.of(0xff, 0xfb, 0x90) },
    }
    await new Promise((resolve) => admin.deps.contentLog?.add(record, resolve))
    const { body } = await admin.call('content-get', { params: { id: 'req_1' } })
    assert.equal(body.requestId, 'req_1')
    assert.deepEqual(body.request, {
      contentType: 'application/json',
      bytes: 12,
      truncated: false,
      encoding: 'utf8',
      content: '{"input":"é',
    })
    assert.deepEqual(
      [body.response.encoding, body.response.content, body.response.truncated],
      ['base64', '//uQ', true],
    )
    assert.ok(admin.logged.some((fields) => fields['code'] === 'content.read'))
    assert.doesNotMatch(JSON.stringify(admin.logged), /input|uQ/)
    const elsewhere = { params: { organization: 'globex', id: 'req_1' } }
    await admin.refuses('content-get', elsewhere, { status: 404, code: 'admin.not-found' })
    const reader = await admin.token(['read'])
    await admin.refuses(
      'content-get',
      { params: { id: 'req_1' }, token: reader },
      { status: 403, code: 'access.scope-denied' },
    )
  }),
)
