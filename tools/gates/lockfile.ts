// What package.json and package-lock.json may hold: exact versions, a checksum for every package,
// no address of a registry (a clone installs from whichever registry its owner trusts), no install
// script, only permissive licences.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Exemption } from './exemptions.ts'
import { installScripts, packageLicences } from './exemptions.ts'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'

type LockedPackage = {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
}
type Lockfile = { readonly packages: Readonly<Record<string, LockedPackage>> }
type Manifest = Readonly<Record<string, Readonly<Record<string, string>> | undefined>>

const lockfileName = 'package-lock.json'

function readJson<Shape>(root: string, path: string): Shape {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}

/** Packages of the lockfile with their names; the project itself is left out. */
function readLockfile(root: string): { readonly name: string; readonly row: LockedPackage }[] {
  return Object.entries(readJson<Lockfile>(root, lockfileName).packages)
    .filter(([path]) => path !== '')
    .map(([path, row]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      row,
    }))
}

function exemptionsNotUsed(list: readonly Exemption[], used: ReadonlySet<string>): Violation[] {
  return list
    .filter((exemption) => !used.has(exemption.name))
    .map((exemption) => ({
      file: lockfileName,
      message: `the exemption of ${exemption.name} is no longer needed`,
    }))
}

function checkLockfile(ctx: GateContext): GateResult {
  const violations: Violation[] = []
  const packages = readLockfile(ctx.root)
  for (const { name, row } of packages) {
    if (row.resolved !== undefined && /^[a-z+]+:\/\//.test(row.resolved)) {
      violations.push({ file: lockfileName, message: `${name} names where it was fetched` })
    }
    if (row.integrity?.startsWith('sha512-') !== true) {
      violations.push({ file: lockfileName, message: `${name} has no SHA-512 checksum` })
    }
  }
  const manifest = readJson<Manifest>(ctx.root, 'package.json')
  const root = readJson<Lockfile>(ctx.root, lockfileName).packages[''] as Manifest
  for (const field of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    if (!isDeepStrictEqual(root[field], manifest[field])) {
      violations.push({ file: lockfileName, message: `its ${field} are not those of package.json` })
    }
    for (const [name, version] of Object.entries(manifest[field] ?? {})) {
      if (/^(?:npm:(?:@[\w-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) continue
      violations.push({ file: 'package.json', message: `${name} is not pinned to one version: ${version}` })
    }
  }
  const settings = readFileSync(join(ctx.root, '.npmrc'), 'utf8').split('\n')
  for (const setting of ['ignore-scripts=true', 'omit-lockfile-registry-resolved=true', 'save-exact=true']) {
    if (!settings.includes(setting)) violations.push({ file: '.npmrc', message: `${setting} is missing` })
  }
  return { violations, note: `${packages.length} packages` }
}

function checkInstallScripts(ctx: GateContext): GateResult {
  const packages = readLockfile(ctx.root)
  const used = new Set<string>()
  const violations: Violation[] = []
  for (const { name, row } of packages) {
    if (row.hasInstallScript !== true) continue
    const exempt = row.dev === true && installScripts.some((exemption) => exemption.name === name)
    if (exempt) used.add(name)
    else
      violations.push({ file: lockfileName, message: `${name} ${row.version ?? ''} has an install script` })
  }
  violations.push(...exemptionsNotUsed(installScripts, used))
  return { violations, note: `${packages.length} packages` }
}

/** Licences that ask for no more than notices. SPDX identifiers. */
export const permissiveLicences: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
  'Zlib',
])

/** True when an SPDX expression leaves a permissive choice: any side of OR, every side of AND. */
export function isPermissive(expression: string): boolean {
  return expression
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((licence) => permissiveLicences.has(licence.trim())))
}

/** The lockfile leaves the licence out where package.json holds the old form of it. */
function readLicence(root: string, name: string, row: LockedPackage): string {
  if (row.license !== undefined) return row.license
  try {
    const manifest: { license?: unknown } = JSON.parse(
      readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'),
    )
    return typeof manifest.license === 'string' ? manifest.license : 'no licence'
  } catch {
    return 'no licence'
  }
}

function checkLicences(ctx: GateContext): GateResult {
  const packages = readLockfile(ctx.root)
  const used = new Set<string>()
  const violations: Violation[] = []
  for (const { name, row } of packages) {
    const licence = readLicence(ctx.root, name, row)
    if (isPermissive(licence)) continue
    const exempt = row.dev === true && packageLicences.some((exemption) => exemption.name === name)
    if (exempt) used.add(name)
    else
      violations.push({ file: lockfileName, message: `${name}: ${licence} is not on the list of licences` })
  }
  violations.push(...exemptionsNotUsed(packageLicences, used))
  return { violations, note: `${packages.length} packages` }
}

export const lockfile: Gate = { name: 'lockfile', limit: 'exact, checksums, no registry', run: checkLockfile }
export const installScriptsGate: Gate = { name: 'install scripts', limit: '0', run: checkInstallScripts }
export const licences: Gate = { name: 'dependency licences', limit: 'permissive', run: checkLicences }
