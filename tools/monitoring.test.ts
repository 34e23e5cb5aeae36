// What deploy/prometheus and deploy/grafana promise, as far as it can be seen without a running gateway: the programs
// of Prometheus take the files, every alert fires when it should and not otherwise, dashboards and runbooks are whole.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { metricList } from '../src/telemetry/index.ts'
import {
  metricOfSample,
  panelExpressions,
  ruleExpressions,
  sampleNamesIn,
  signalExpressions,
  withoutVariables,
} from '../test/fixtures/monitoring/expressions.ts'
import { runbookUrl } from './monitoring/alert.ts'
import { dashboards } from './monitoring/grafana-files.ts'
import { alerts } from './monitoring/prometheus-files.ts'
import { projectRoot } from './pinned-node.mjs'
import { requireSystemProgram } from './system-packages.ts'

const scratch = mkdtempSync(join(tmpdir(), 'gatewright-monitoring-'))
after(() => rmSync(scratch, { recursive: true, force: true }))
const folder = join(scratch, 'prometheus')
cpSync(join(projectRoot, 'deploy/prometheus'), folder, { recursive: true })
const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8')

function run(program: string, ...given: string[]): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(requireSystemProgram(program), given, {
    cwd: folder,
    encoding: 'utf8',
  })
  return { code: status, output: stdout + stderr }
}
const assertRuns = (program: string, ...given: string[]): void => {
  const { code, output } = run(program, ...given)
  assert.equal(code, 0, output)
}

describe('the files of deploy/prometheus', () => {
  test('are taken by Prometheus: configuration and rules', () => {
    assertRuns('promtool', 'check', 'config', '--syntax-only', 'prometheus.yml')
    assertRuns('promtool', 'check', 'rules', 'rules/recording.yml', 'rules/alerts.yml')
  })

  test('the example is taken by Alertmanager, and pages and tickets go where they should', () => {
    assertRuns('amtool', 'check-config', 'alertmanager.yml')
    const routed = (severity: string): string =>
      run(
        'amtool',
        'config',
        'routes',
        'test',
        '--config.file=alertmanager.yml',
        `severity=${severity}`,
      ).output.split('\n', 1)[0] ?? ''
    assert.deepEqual([routed('page'), routed('ticket')], ['pages', 'tickets'])
  })

  test('every query of a panel can be read by Prometheus', () => {
    const rules = panelExpressions.map(({ expr }, at) => ({
      record: `panel:${at}`,
      expr: withoutVariables(expr),
    }))
    writeFileSync(join(scratch, 'panels.yml'), stringify({ groups: [{ name: 'panels', rules }] }))
    assertRuns('promtool', 'check', 'rules', join(scratch, 'panels.yml'))
  })
})

describe('alerts', () => {
  for (const file of readdirSync(join(folder, 'tests')))
    test(`fire when they should, and on nothing that looks alike: ${file}`, () => {
      assertRuns('promtool', 'test', 'rules', `tests/${file}`)
    })

  test('each has both tests, and the tests find an alert that never fires and one that always does', () => {
    const tests = readdirSync(join(folder, 'tests')).flatMap((file) => {
      const { tests: found } = parse(readFileSync(join(folder, 'tests', file), 'utf8')) as {
        tests: { name: string }[]
      }
      return found.map(({ name }) => name)
    })
    assert.deepEqual(
      tests.toSorted(),
      alerts.flatMap(({ name }) => [`${name} fires`, `${name} stays quiet`]).toSorted(),
    )
    // The first two tests are of one alert: it must fire, and must stay quiet.
    const short = parse(readFileSync(join(folder, 'tests/short.yml'), 'utf8'))
    const rules = parse(readFileSync(join(folder, 'rules/alerts.yml'), 'utf8'))
    for (const [expr, at] of [
      ['vector(0) > 1', 0],
      ['vector(1)', 1],
    ] as const) {
      for (const group of rules.groups) for (const rule of group.rules) rule.expr = expr
      writeFileSync(join(scratch, 'mutated.yml'), stringify(rules))
      const one = { ...short, rule_files: ['mutated.yml'], tests: [short.tests[at]] }
      writeFileSync(join(scratch, 'mutated-test.yml'), stringify(one))
      assert.equal(run('promtool', 'test', 'rules', join(scratch, 'mutated-test.yml')).code, 1)
    }
  })

  test('each has a severity, a summary and a page that its link leads to', () => {
    const { groups } = parse(read('deploy/prometheus/rules/alerts.yml')) as {
      groups: {
        rules: { alert: string; labels: Record<string, string>; annotations: Record<string, string> }[]
      }[]
    }
    const rules = groups.flatMap((group) => group.rules)
    assert.equal(rules.length, alerts.length)
    for (const { alert, labels, annotations } of rules) {
      assert.match(labels['severity'] ?? '', /^(?:page|ticket)$/)
      assert.ok(annotations['summary'])
      assert.equal(annotations['runbook_url'], runbookUrl(alert))
      const page = read(`docs/runbooks/${alert}.md`)
      for (const heading of ['What it means', 'How to look', 'What to do'])
        assert.ok(page.includes(`## ${heading}\n`))
    }
    const pages = readdirSync(join(projectRoot, 'docs/runbooks')).filter((file) => file !== 'README.md')
    assert.deepEqual(pages.toSorted(), rules.map(({ alert }) => `${alert}.md`).toSorted())
  })
})

interface PanelJson {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[]
}
interface DashboardJson {
  readonly uid: string
  readonly title: string
  readonly panels: readonly PanelJson[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
}

const files = readdirSync(join(projectRoot, 'deploy/grafana/dashboards'))
for (const file of files) {
  describe(`the dashboard ${file}`, () => {
    const { uid, panels, templating } = JSON.parse(read(`deploy/grafana/dashboards/${file}`)) as DashboardJson

    test('has panels with ids of their own, inside the grid and none over another', () => {
      assert.equal(`${uid}.json`, file)
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
      const taken = new Set<string>()
      for (const { title, gridPos } of panels) {
        assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24, title)
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
            assert.ok(!taken.has(`${x} ${y}`), `${title} lies over another panel`)
            taken.add(`${x} ${y}`)
          }
      }
    })

    test('says of each panel what it shows, and uses no variable that is not at its top', () => {
      const known = new Set(templating.list.map(({ name }) => name))
      for (const { title, type, description, targets = [] } of panels) {
        if (type === 'row') continue
        assert.ok(description, title)
        assert.ok(targets.length > 0, title)
        assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length)
        for (const { expr } of targets)
          for (const [, name = ''] of expr.matchAll(/\$([a-z_]+)/g))
            assert.ok(name.startsWith('__') || known.has(name), `${title}: $${name}`)
      }
    })

    test('offers choices from labels that the metrics have', () => {
      for (const { name, definition } of templating.list) {
        if (definition === undefined || name === 'instance') continue
        const metric = /^label_values\((\w+), /.exec(definition)?.[1]
        const row = metricList.find((each) => each.name === metric)
        assert.ok(
          row?.labels.some((label) => label === name),
          `${name} of ${metric}`,
        )
      }
    })
  })
}

const everything = [...panelExpressions, ...ruleExpressions, ...signalExpressions]

describe('dashboards and rules together', () => {
  test('are the six', () => {
    assert.deepEqual(files.toSorted(), dashboards.map(({ uid }) => `${uid}.json`).toSorted())
    assert.equal(files.length, 6)
  })

  test('read metrics that exist, and no others', () => {
    for (const { where, expr } of everything)
      for (const sample of sampleNamesIn(expr))
        assert.ok(metricOfSample(sample, metricList), `${where}: ${sample}`)
  })

  test('select and group by labels that those metrics have', () => {
    for (const { where, expr } of everything) {
      for (const [, sample = '', matchers = ''] of expr.matchAll(/\b([a-z][a-z0-9_]+)\{([^}]*)\}/g)) {
        const labels = new Set([
          ...(metricOfSample(sample, metricList)?.labels ?? []),
          'instance',
          'job',
          'le',
        ])
        if (metricOfSample(sample, metricList) === undefined) continue
        for (const [, label = ''] of matchers.matchAll(/([a-z_]+)(?:=~|!~|!=|=)"/g))
          assert.ok(labels.has(label), `${where}: ${sample} has no label ${label}`)
      }
    }
  })

  test('show at least 95 % of the metrics that there are', () => {
    const shown = new Set(
      everything
        .flatMap(({ expr }) => sampleNamesIn(expr))
        .map((sample) => metricOfSample(sample, metricList)?.name),
    )
    const missing = metricList.map(({ name }) => name).filter((name) => !shown.has(name))
    assert.ok(missing.length <= 0.05 * metricList.length, `not shown: ${missing.join(', ')}`)
  })

  test('are provided to Grafana from where the compose file puts them', () => {
    const { providers } = parse(read('deploy/grafana/provisioning/dashboards/gatewright.yaml')) as {
      providers: { type: string; options: { path: string } }[]
    }
    const { services } = parse(read('deploy/compose/monitoring.yaml')) as {
      services: { grafana: { volumes: string[]; environment: Record<string, string> } }
    }
    const [provider] = providers
    assert.ok(provider !== undefined)
    assert.ok(services.grafana.volumes.includes(`../grafana/dashboards:${provider.options.path}:ro`))
    const home = services.grafana.environment['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? ''
    assert.ok(existsSync(join(projectRoot, home.replace(provider.options.path, 'deploy/grafana/dashboards'))))
  })
})
