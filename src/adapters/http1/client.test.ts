import { createEgressGuard } from '../../egress/index.ts'
import { upstreamClientContract } from '../../ports/upstream-client.contract.ts'
import { createHttp1Client } from './client.ts'

for (const tls of [false, true]) {
  upstreamClientContract({
    name: 'http1',
    tls,
    create: (certificate) =>
      createHttp1Client({ egress: createEgressGuard(), extraCertificates: [certificate], tickMs: 10 }),
    exceptions: {},
  })
}
