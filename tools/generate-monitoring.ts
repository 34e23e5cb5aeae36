// Writes what watches a gateway: deploy/prometheus/rules and tests, docs/runbooks/, deploy/grafana/dashboards/.

import { dashboards, dashboardText } from './monitoring/grafana-files.ts'
import {
  alertGroups,
  alertRulesText,
  alertTestsText,
  recordingRulesText,
  runbookIndexText,
  runbookText,
} from './monitoring/prometheus-files.ts'
import { writeGenerated } from './write-generated.ts'

writeGenerated('deploy/prometheus/rules/recording.yml', recordingRulesText())
writeGenerated('deploy/prometheus/rules/alerts.yml', alertRulesText())
writeGenerated('deploy/prometheus/tests/long.yml', alertTestsText('long'))
writeGenerated('deploy/prometheus/tests/short.yml', alertTestsText('short'))
writeGenerated('docs/runbooks/README.md', runbookIndexText())
for (const group of alertGroups)
  for (const alert of group.alerts)
    writeGenerated(`docs/runbooks/${alert.name}.md`, runbookText(alert, group))
for (const dashboard of dashboards)
  writeGenerated(`deploy/grafana/dashboards/${dashboard.uid}.json`, dashboardText(dashboard))
