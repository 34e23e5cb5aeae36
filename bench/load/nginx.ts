/**
 * nginx twice: as the mock that answers unary requests (on the core of the load), and as the reference proxy (on the
 * core of the gateways): one process, keep-alive to the upstream, no access log, no buffering of streams.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { requireSystemProgram } from '../../tools/system-packages.ts'
import type { Endpoint } from './call.ts'
import { type ChildProgram, startChildProgram } from './child-program.ts'
import { unaryAnswer } from './mock-upstream.ts'
import { freePort, gatewayCore, loadCore } from './processes.ts'
import { type BenchCertificate, chatPath, type Mocks, mockCredential, type Started } from './system.ts'

const manyRequests = 'keepalive_requests 1000000000; keepalive_timeout 600s;'

function configOf(folder: string, name: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${name}-${kind};`)
    .join('\n  ')
  return `daemon off;
master_process off;
error_log ${folder}/${name}.log crit;
pid ${folder}/${name}.pid;
events { worker_connections 8192; }
http {
  access_log off;
  tcp_nodelay on;
  ${manyRequests}
  client_max_body_size 0;
  client_body_buffer_size 256k;
  ${temporary}
${http}
}
`
}

async function startNginx(
  folder: string,
  options: { readonly name: string; readonly http: string; readonly core: number; readonly port: number },
): Promise<ChildProgram> {
  const file = join(folder, `${options.name}.conf`)
  writeFileSync(file, configOf(folder, options.name, options.http))
  const command = [requireSystemProgram('nginx'), '-p', folder, '-c', file]
  return startChildProgram({ core: options.core, command, port: options.port, folder })
}

/** The mock of unary requests. */
export async function startNginxMock(
  folder: string,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const port = await freePort()
  const http = `  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { default_type application/json; return 200 '${unaryAnswer}'; }
  }`
  const child = await startNginx(folder, { name: 'mock', http, core: loadCore, port })
  return { port, stop: child.stop }
}

/** nginx as a proxy, in plain HTTP and with TLS towards the caller. */
export async function startNginxProxy(
  folder: string,
  mocks: Mocks,
  certificate: BenchCertificate,
): Promise<Started> {
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const
  writeFileSync(join(folder, 'nginx.crt'), certificate.certificate)
  writeFileSync(join(folder, 'nginx.key'), certificate.privateKey, { mode: 0o600 })
  const tls = `ssl_certificate ${folder}/nginx.crt; ssl_certificate_key ${folder}/nginx.key; ssl_protocols TLSv1.2 TLSv1.3;`
  const proxy = (upstream: string): string =>
    `proxy_pass http://${upstream}; proxy_http_version 1.1; proxy_set_header Connection "";`
  const upstream = (name: string, port: number): string =>
    `  upstream ${name} { server 127.0.0.1:${port}; keepalive 4096; ${manyRequests} }`
  const http = `${upstream('unary', mocks.unaryPort)}
${upstream('stream', mocks.streamPort)}
  server { listen 127.0.0.1:${ports[0]} backlog=4096; location / { ${proxy('unary')} } }
  server { listen 127.0.0.1:${ports[1]} backlog=4096; location / { ${proxy('stream')} proxy_buffering off; } }
  server { listen 127.0.0.1:${ports[2]} ssl backlog=4096; ${tls} location / { ${proxy('unary')} } }
  server { listen 127.0.0.1:${ports[3]} ssl backlog=4096; ${tls} location / { ${proxy('stream')} proxy_buffering off; } }`
  const child = await startNginx(folder, { name: 'proxy', http, core: gatewayCore, port: ports[0] })
  const endpoint = (port: number, authority: string | null): Endpoint => ({
    port,
    authority,
    headers: { authorization: `Bearer ${mockCredential}` },
    path: chatPath,
  })
  const { pid } = child
  const { authority } = certificate
  return {
    systems: [
      { name: 'nginx', unary: endpoint(ports[0], null), stream: endpoint(ports[1], null), pid },
      { name: 'nginx-tls', unary: endpoint(ports[2], authority), stream: endpoint(ports[3], authority), pid },
    ],
    stop: child.stop,
  }
}
