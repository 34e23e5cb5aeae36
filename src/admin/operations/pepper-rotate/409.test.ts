import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'of two rotations at once one is refused',
  withAdmin(async (admin) => {
    const answers = await Promise.all([admin.call('pepper-rotate'), admin.call('pepper-rotate')])
    const statuses = answers.map(({ status }) => status).toSorted()
    // They may also come one after the other.
    if (statuses[1] === 200) assert.deepEqual(answers.map(({ body }) => body.current).toSorted(), [2, 3])
    else assert.deepEqual(statuses, [200, 409])
  }),
)

test(
  'with tokens under as many peppers as there may be, one more is refused',
  withAdmin(async (admin) => {
    for (let version = 1; version < 16; version += 1) {
      await admin.token(['read'])
      assert.equal((await admin.call('pepper-rotate')).status, 200)
    }
    await admin.refuses('pepper-rotate', {}, { status: 409, code: 'admin.pepper-limit' })
  }),
)
