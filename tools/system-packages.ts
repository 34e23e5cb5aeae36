// The programs of the operating system that tests, benchmarks and proofs run, in one table, with the
// Debian package of each. The product needs none of them.
//
//   npm run … : `.ci/run` asks for the missing ones and installs them when it may.
//   node tools/launch.mjs system-packages [--missing]   prints the table, or the packages missing here

import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** One program: its name in the PATH, the Debian package that brings it, what needs it. */
export type SystemProgram = {
  readonly program: string
  readonly debianPackage: string
  readonly neededFor: string
  /** No test needs it. */
  readonly forProofsAlone?: true
}

export const systemPrograms: readonly SystemProgram[] = [
  {
    program: 'amtool',
    debianPackage: 'prometheus-alertmanager',
    neededFor: 'tests of deploy/prometheus: the example for Alertmanager',
  },
  { program: 'chromium', debianPackage: 'chromium', neededFor: 'tests that drive a browser' },
  {
    program: 'prometheus-alertmanager',
    debianPackage: 'prometheus-alertmanager',
    neededFor: 'tests of alerts: a real server that tells of them',
  },
  { program: 'curl', debianPackage: 'curl', neededFor: 'tests that run the printed commands' },
  { program: 'git', debianPackage: 'git', neededFor: 'tests on a fresh clone; commit named in evidence' },
  { program: 'h2load', debianPackage: 'nghttp2-client', neededFor: 'tests and proofs of floods over HTTP/2' },
  {
    program: 'java',
    debianPackage: 'openjdk-17-jdk-headless',
    neededFor: 'proofs of delivery: a real OpenSearch',
    forProofsAlone: true,
  },
  {
    program: 'mvn',
    debianPackage: 'maven',
    neededFor: 'proofs of delivery: brings OpenSearch',
    forProofsAlone: true,
  },
  { program: 'nginx', debianPackage: 'nginx-light', neededFor: 'benchmarks: the reference proxy' },
  {
    program: 'openssl',
    debianPackage: 'openssl',
    neededFor: 'tests of certificates against another implementation',
  },
  {
    program: 'postgres',
    debianPackage: 'postgresql',
    neededFor: 'tests and proofs of storage that several nodes share',
  },
  {
    program: 'prometheus',
    debianPackage: 'prometheus',
    neededFor: 'tests of metrics: a real server that scrapes',
  },
  {
    program: 'promtool',
    debianPackage: 'prometheus',
    neededFor: 'tests of metrics: the format and the names',
  },
  {
    program: 'redis-server',
    debianPackage: 'redis-server',
    neededFor: 'tests and proofs of counters that several nodes share',
  },
  {
    program: 'rsyslogd',
    debianPackage: 'rsyslog-gnutls',
    neededFor: 'tests of the syslog sink: a real receiver, with TLS',
  },
  {
    program: 'systemd-analyze',
    debianPackage: 'systemd',
    neededFor: 'tests of the unit that deploy/systemd/ holds',
  },
  { program: 'slowhttptest', debianPackage: 'slowhttptest', neededFor: 'tests and proofs of slow clients' },
  { program: 'wrk', debianPackage: 'wrk', neededFor: 'benchmarks: the load' },
]

// Debian keeps servers here, outside a normal user's PATH.
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', ...postgresFolders()]

/** Debian keeps the programs of each release of PostgreSQL apart; the newest first. */
function postgresFolders(): string[] {
  const root = '/usr/lib/postgresql'
  try {
    const releases = readdirSync(root).toSorted((one, other) => Number(other) - Number(one))
    return releases.map((release) => join(root, release, 'bin'))
  } catch {
    return []
  }
}

/** Path of a program of the table, or undefined where it is not installed. */
export function findSystemProgram(program: string, path = process.env['PATH'] ?? ''): string | undefined {
  for (const folder of [...path.split(delimiter), ...systemFolders]) {
    const file = join(folder, program)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // not in this folder
    }
  }
  return undefined
}

/** Path of a program of the table. Throws with the package to install where it is missing. */
export function requireSystemProgram(program: string): string {
  const row = systemPrograms.find((candidate) => candidate.program === program)
  if (row === undefined) throw new Error(`${program} is not in the table of tools/system-packages.ts`)
  const file = findSystemProgram(program)
  if (file === undefined) {
    throw new Error(`${program} is not installed (${row.neededFor}): apt-get install ${row.debianPackage}`)
  }
  return file
}

function print(onlyMissing: boolean): void {
  for (const row of systemPrograms) {
    const file = findSystemProgram(row.program)
    if (!onlyMissing) {
      console.log(
        `${row.program.padEnd(10)} ${row.debianPackage.padEnd(12)} ${(file ?? 'missing').padEnd(20)} ${row.neededFor}`,
      )
    } else if (file === undefined) console.log(row.debianPackage)
  }
}

if (import.meta.main) print(process.argv.includes('--missing'))
