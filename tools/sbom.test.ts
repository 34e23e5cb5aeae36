// The bill of materials names what is shipped, with version, licence and checksum, and nothing else.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from './pinned-node.mjs'
import { createSbom } from './sbom.ts'

type LockRow = { readonly version: string; readonly dev?: boolean }

test('the bill of materials is CycloneDX and holds exactly the shipped packages, each with its checksum', async () => {
  const sbom = await createSbom(false)
  assert.equal(sbom.bomFormat, 'CycloneDX')
  assert.equal(sbom.metadata.component.name, 'gatewright')
  const lockfile = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'))
  const rows = Object.entries<LockRow>(lockfile.packages).filter(
    ([path, row]) => path !== '' && row.dev !== true,
  )
  const shipped = rows.map(([path, row]) => `${path.replace(/^.*node_modules\//, '')}@${row.version}`)
  assert.deepEqual(
    sbom.components.map((row) => `${row.name}@${row.version}`).sort(),
    [...new Set(shipped)].sort(),
  )
  for (const row of sbom.components) {
    assert.ok(
      row.hashes?.some((hash) => hash.alg === 'SHA-512'),
      `${row.name} has no checksum`,
    )
    assert.ok((row.licenses ?? []).length > 0, `${row.name} has no licence`)
  }
  const known = new Set(sbom.components.map((row) => row['bom-ref']))
  for (const row of sbom.dependencies) {
    for (const ref of row.dependsOn)
      assert.ok(known.has(ref), `${row.ref} depends on ${ref}, which is not listed`)
  }
})
