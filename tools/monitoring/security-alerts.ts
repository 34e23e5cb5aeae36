/** Alerts on who tries to get in, and to what. */
import { type AlertGroup, compare } from './alert.ts'

const attempts = (match: string): string =>
  `sum(rate(gatewright_auth_attempts_total{method="api_key"${match}}[5m]))`
const signIns = (result: string): string =>
  `sum by (instance) (increase(gatewright_auth_attempts_total{method="admin_secret",result="${result}"}[15m]))`
const handshakes = (match: string): string => `sum(rate(gatewright_tls_handshakes_total${match}[5m]))`
const denied = 'sum by (resource) (rate(gatewright_authz_decisions_total{decision="deny"}[5m]))'
const one = { instance: 'gw-1' }

export const securityAlerts: AlertGroup = {
  name: 'gatewright-security',
  about: 'Security',
  alerts: [
    {
      name: 'GatewrightKeysRefused',
      severity: 'ticket',
      expr: `${attempts(',result!="ok"')} > 1 and ${attempts(',result!="ok"')} > 0.2 * ${attempts('')}`,
      signals: [attempts(',result!="ok"'), attempts('')],
      for: '10m',
      summary:
        'More than a fifth of the requests, and more than one a second, come with a key that is refused.',
      meaning:
        'A program with an old key, a roll-out with a wrong one, or somebody who tries keys. Keys cannot be guessed; the load is what it costs.',
      look: [
        'Why: `sum by (result) (rate(gatewright_auth_attempts_total{method="api_key"}[5m]))`.',
        'From where: the proxy or load balancer in front; no metric has an address as a label.',
      ],
      act: [
        '`expired-key` or `key-revoked`: tell the owner; `gatewright keys list` names keys that have ended.',
        '`invalid-key` and `too-many-wrong-keys`: who guesses locks out their own address (docs/guides/keys.md); block it in front.',
        '`key-quarantined` or `key-rotation-overdue`: tell the owner (docs/guides/keys.md).',
        '`address-not-allowed`: a key is used from where it should not be; treat it as stolen.',
      ],
      fires: {
        samples: {
          'gatewright_auth_attempts_total{method="api_key",result="invalid-key"}': '0+300x40',
          'gatewright_auth_attempts_total{method="api_key",result="ok"}': '0+300x40',
        },
        at: '30m',
        labels: {},
      },
      quiet: {
        'gatewright_auth_attempts_total{method="api_key",result="invalid-key"}': '0+120x40',
        'gatewright_auth_attempts_total{method="api_key",result="ok"}': '0+6000x40',
      },
    },
    {
      name: 'GatewrightAdminSignInsFail',
      severity: 'ticket',
      expr: `${signIns('bad_credential')} > 10`,
      signals: ['sum by (instance) (increase(gatewright_auth_attempts_total{method="admin_secret"}[15m]))'],
      for: '0m',
      summary: 'Many wrong admin tokens or set-up links were tried on {{ $labels.instance }}.',
      meaning: 'A script with an old token, or somebody who tries to get into the control plane.',
      look: [
        'How many: `increase(gatewright_auth_attempts_total{method="admin_secret"}[15m])` by result.',
        'From where: log lines `admin.sign-ins`, which name clients that are refused.',
      ],
      act: [
        'A script of yours: give it a token that is valid.',
        'A stranger: close the control plane to that network; it should be reachable by operators alone.',
      ],
      fires: {
        samples: {
          'gatewright_auth_attempts_total{instance="gw-1",method="admin_secret",result="bad_credential"}':
            '0+2x30',
        },
        at: '20m',
        labels: one,
      },
      quiet: {
        'gatewright_auth_attempts_total{instance="gw-1",method="admin_secret",result="bad_credential"}':
          '5x30',
        'gatewright_auth_attempts_total{instance="gw-1",method="admin_secret",result="ok"}': '0+60x30',
      },
    },
    {
      name: 'GatewrightAdminSignInsRefused',
      severity: 'page',
      expr: `${signIns('throttled')} > 0`,
      signals: ['sum by (instance) (increase(gatewright_auth_attempts_total{method="admin_secret"}[15m]))'],
      for: '0m',
      summary: 'A client failed so often at the control plane of {{ $labels.instance }} that it is refused.',
      meaning: 'Ten wrong secrets at once, or more than one a minute, from one address. It goes on trying.',
      look: [
        'Who: the log line `admin.sign-ins` names the network.',
        'Whether any attempt was right: `increase(gatewright_auth_attempts_total{method="admin_secret",result="ok"}[1h])`.',
      ],
      act: [
        'Close the control plane to that network.',
        'If it is a colleague: wait ten minutes, then use the right token; tokens that were right here before are never refused.',
      ],
      fires: {
        samples: {
          'gatewright_auth_attempts_total{instance="gw-1",method="admin_secret",result="throttled"}':
            '0+3x30',
        },
        at: '20m',
        labels: one,
      },
      quiet: {
        'gatewright_auth_attempts_total{instance="gw-1",method="admin_secret",result="bad_credential"}':
          '0+3x30',
      },
    },
    {
      name: 'GatewrightAccessDenied',
      severity: 'ticket',
      ...compare(denied, '> 1'),
      for: '10m',
      summary: 'More than one request a second asks for a {{ $labels.resource }} that its key may not have.',
      meaning:
        'Keys are valid, but ask for what their subscription does not hold: a mistake in a program, or a key that is being explored.',
      look: [
        'For what: `sum by (resource) (rate(gatewright_authz_decisions_total{decision="deny"}[5m]))`.',
        'By which key: the usage report, refused requests by key.',
      ],
      act: [
        'A program that should have it: add the model or operation to the API product.',
        'A key that asks for everything: talk to its owner, or revoke it.',
      ],
      fires: {
        samples: { 'gatewright_authz_decisions_total{resource="model",decision="deny"}': '0+120x40' },
        at: '30m',
        labels: { resource: 'model' },
      },
      quiet: {
        'gatewright_authz_decisions_total{resource="model",decision="deny"}': '0+6x40',
        'gatewright_authz_decisions_total{resource="model",decision="allow"}': '0+600x40',
      },
    },
    {
      name: 'GatewrightHandshakesFail',
      severity: 'ticket',
      expr: `${handshakes('{result="failed"}')} > 1 and ${handshakes('{result="failed"}')} > 0.3 * ${handshakes('')}`,
      signals: [handshakes('')],
      for: '10m',
      summary: 'Many TLS handshakes with the data plane fail.',
      meaning:
        'Clients do not trust the certificate, speak no version that is allowed, or somebody scans or floods the port.',
      look: [
        '`sum by (result, version) (rate(gatewright_tls_handshakes_total[5m]))`.',
        'What a client sees: `openssl s_client -connect <node>:8443`.',
      ],
      act: [
        'After a change of certificate: give clients the authority, or go back.',
        'A flood: bounds on handshakes hold (docs/guides/connection-limits.md); block the network in front.',
      ],
      fires: {
        samples: {
          'gatewright_tls_handshakes_total{version="none",result="failed"}': '0+300x40',
          'gatewright_tls_handshakes_total{version="TLSv1.3",result="ok"}': '0+300x40',
        },
        at: '30m',
        labels: {},
      },
      quiet: {
        'gatewright_tls_handshakes_total{version="none",result="failed"}': '0+90x40',
        'gatewright_tls_handshakes_total{version="TLSv1.3",result="ok"}': '0+600x40',
      },
    },
  ],
}
