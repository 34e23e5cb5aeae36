/**
 * Every operation of the admin API: name, method, path below `/api/v1`, and the scope that a token needs. This
 * table is the whole of it: what is not here is not served, and a test walks every row with tokens that must fail.
 *
 * `public` means without a token: the set-up exchange alone, whose link is the proof.
 */
import type { AdminScope } from '../domain/entities.ts'
import type { AdminOperation } from './operation.ts'
import { adminTokenCreate } from './operations/admin-token-create/operation.ts'
import { adminTokenList } from './operations/admin-token-list/operation.ts'
import { adminTokenRevoke } from './operations/admin-token-revoke/operation.ts'
import { applicationCreate } from './operations/application-create/operation.ts'
import { applicationDelete } from './operations/application-delete/operation.ts'
import { applicationGet } from './operations/application-get/operation.ts'
import { applicationList } from './operations/application-list/operation.ts'
import { applicationUpdate } from './operations/application-update/operation.ts'
import { auditSubjectErase } from './operations/audit-subject-erase/operation.ts'
import { configApply } from './operations/config-apply/operation.ts'
import { configDiff } from './operations/config-diff/operation.ts'
import { configExport } from './operations/config-export/operation.ts'
import { contentGet } from './operations/content-get/operation.ts'
import { deploymentCreate } from './operations/deployment-create/operation.ts'
import { deploymentDelete } from './operations/deployment-delete/operation.ts'
import { deploymentGet } from './operations/deployment-get/operation.ts'
import { deploymentList } from './operations/deployment-list/operation.ts'
import { deploymentTest } from './operations/deployment-test/operation.ts'
import { deploymentUpdate } from './operations/deployment-update/operation.ts'
import { guardCreate } from './operations/guard-create/operation.ts'
import { guardDelete } from './operations/guard-delete/operation.ts'
import { guardGet } from './operations/guard-get/operation.ts'
import { guardList } from './operations/guard-list/operation.ts'
import { guardUpdate } from './operations/guard-update/operation.ts'
import { keyCreate } from './operations/key-create/operation.ts'
import { keyGet } from './operations/key-get/operation.ts'
import { keyList } from './operations/key-list/operation.ts'
import { keyQuarantine } from './operations/key-quarantine/operation.ts'
import { keyRelease } from './operations/key-release/operation.ts'
import { keyRevoke } from './operations/key-revoke/operation.ts'
import { keyRotate } from './operations/key-rotate/operation.ts'
import { keyUpdate } from './operations/key-update/operation.ts'
import { limitAlertList } from './operations/limit-alert-list/operation.ts'
import { limitCreate } from './operations/limit-create/operation.ts'
import { limitDelete } from './operations/limit-delete/operation.ts'
import { limitExplain } from './operations/limit-explain/operation.ts'
import { limitGet } from './operations/limit-get/operation.ts'
import { limitList } from './operations/limit-list/operation.ts'
import { limitUpdate } from './operations/limit-update/operation.ts'
import { liveWatch } from './operations/live-watch/operation.ts'
import { organizationCreate } from './operations/organization-create/operation.ts'
import { organizationDelete } from './operations/organization-delete/operation.ts'
import { organizationGet } from './operations/organization-get/operation.ts'
import { organizationList } from './operations/organization-list/operation.ts'
import { organizationUpdate } from './operations/organization-update/operation.ts'
import { pepperRotate } from './operations/pepper-rotate/operation.ts'
import { planCreate } from './operations/plan-create/operation.ts'
import { planDelete } from './operations/plan-delete/operation.ts'
import { planGet } from './operations/plan-get/operation.ts'
import { planList } from './operations/plan-list/operation.ts'
import { planUpdate } from './operations/plan-update/operation.ts'
import { policyCreate } from './operations/policy-create/operation.ts'
import { policyDelete } from './operations/policy-delete/operation.ts'
import { policyExplain } from './operations/policy-explain/operation.ts'
import { policyGet } from './operations/policy-get/operation.ts'
import { policyList } from './operations/policy-list/operation.ts'
import { policySchemaGet } from './operations/policy-schema-get/operation.ts'
import { policyUpdate } from './operations/policy-update/operation.ts'
import { policyValidate } from './operations/policy-validate/operation.ts'
import { productCreate } from './operations/product-create/operation.ts'
import { productDelete } from './operations/product-delete/operation.ts'
import { productGet } from './operations/product-get/operation.ts'
import { productList } from './operations/product-list/operation.ts'
import { productUpdate } from './operations/product-update/operation.ts'
import { providerGet } from './operations/provider-get/operation.ts'
import { providerList } from './operations/provider-list/operation.ts'
import { routeCreate } from './operations/route-create/operation.ts'
import { routeDelete } from './operations/route-delete/operation.ts'
import { routeGet } from './operations/route-get/operation.ts'
import { routeHealth } from './operations/route-health/operation.ts'
import { routeList } from './operations/route-list/operation.ts'
import { routeUpdate } from './operations/route-update/operation.ts'
import { secretRewrap } from './operations/secret-rewrap/operation.ts'
import { setupExchange } from './operations/setup-exchange/operation.ts'
import { setupLinkCreate } from './operations/setup-link-create/operation.ts'
import { sinkDeadLetters } from './operations/sink-dead-letters/operation.ts'
import { sinkList } from './operations/sink-list/operation.ts'
import { sinkReplay } from './operations/sink-replay/operation.ts'
import { statusGet } from './operations/status-get/operation.ts'
import { subscriptionCreate } from './operations/subscription-create/operation.ts'
import { subscriptionDelete } from './operations/subscription-delete/operation.ts'
import { subscriptionGet } from './operations/subscription-get/operation.ts'
import { subscriptionList } from './operations/subscription-list/operation.ts'
import { subscriptionUpdate } from './operations/subscription-update/operation.ts'
import { tokenIssuerCreate } from './operations/token-issuer-create/operation.ts'
import { tokenIssuerDelete } from './operations/token-issuer-delete/operation.ts'
import { tokenIssuerGet } from './operations/token-issuer-get/operation.ts'
import { tokenIssuerList } from './operations/token-issuer-list/operation.ts'
import { tokenIssuerUpdate } from './operations/token-issuer-update/operation.ts'
import { tokenRevocationCreate } from './operations/token-revocation-create/operation.ts'
import { tokenRevocationList } from './operations/token-revocation-list/operation.ts'
import { topUpCreate } from './operations/top-up-create/operation.ts'
import { topUpDelete } from './operations/top-up-delete/operation.ts'
import { topUpList } from './operations/top-up-list/operation.ts'
import { usageExport } from './operations/usage-export/operation.ts'
import { usageRecords } from './operations/usage-records/operation.ts'
import { usageSeries } from './operations/usage-series/operation.ts'
import { usageSummary } from './operations/usage-summary/operation.ts'

export interface AdminRow {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly scope: AdminScope | 'public'
  readonly operation: AdminOperation
}

type Row = readonly [
  AdminRow['name'],
  AdminRow['method'],
  AdminRow['path'],
  AdminRow['scope'],
  AdminOperation,
]

// biome-ignore format: a table is read by its columns
const rows: readonly Row[] = [
  ['organization-list',   'GET',    '/organizations',                                    'read',   organizationList],
  ['organization-create', 'POST',   '/organizations',                                    'admin',  organizationCreate],
  ['organization-get',    'GET',    '/organizations/:organization',                      'read',   organizationGet],
  ['organization-update', 'PATCH',  '/organizations/:organization',                      'admin',  organizationUpdate],
  ['organization-delete', 'DELETE', '/organizations/:organization',                      'admin',  organizationDelete],

  ['application-list',    'GET',    '/organizations/:organization/applications',         'read',   applicationList],
  ['application-create',  'POST',   '/organizations/:organization/applications',         'write',  applicationCreate],
  ['application-get',     'GET',    '/organizations/:organization/applications/:id',     'read',   applicationGet],
  ['application-update',  'PATCH',  '/organizations/:organization/applications/:id',     'write',  applicationUpdate],
  ['application-delete',  'DELETE', '/organizations/:organization/applications/:id',     'write',  applicationDelete],

  ['product-list',        'GET',    '/organizations/:organization/products',             'read',   productList],
  ['product-create',      'POST',   '/organizations/:organization/products',             'write',  productCreate],
  ['product-get',         'GET',    '/organizations/:organization/products/:id',         'read',   productGet],
  ['product-update',      'PATCH',  '/organizations/:organization/products/:id',         'write',  productUpdate],
  ['product-delete',      'DELETE', '/organizations/:organization/products/:id',         'write',  productDelete],

  ['subscription-list',   'GET',    '/organizations/:organization/subscriptions',        'read',   subscriptionList],
  ['subscription-create', 'POST',   '/organizations/:organization/subscriptions',        'write',  subscriptionCreate],
  ['subscription-get',    'GET',    '/organizations/:organization/subscriptions/:id',    'read',   subscriptionGet],
  ['subscription-update', 'PATCH',  '/organizations/:organization/subscriptions/:id',    'write',  subscriptionUpdate],
  ['subscription-delete', 'DELETE', '/organizations/:organization/subscriptions/:id',    'write',  subscriptionDelete],

  ['plan-list',           'GET',    '/organizations/:organization/plans',                    'read',   planList],
  ['plan-create',         'POST',   '/organizations/:organization/plans',                    'write',  planCreate],
  ['plan-get',            'GET',    '/organizations/:organization/plans/:id',                'read',   planGet],
  ['plan-update',         'PATCH',  '/organizations/:organization/plans/:id',                'write',  planUpdate],
  ['plan-delete',         'DELETE', '/organizations/:organization/plans/:id',                'write',  planDelete],

  ['guard-list',          'GET',    '/organizations/:organization/guards',                   'read',   guardList],
  ['guard-create',        'POST',   '/organizations/:organization/guards',                   'write',  guardCreate],
  ['guard-get',           'GET',    '/organizations/:organization/guards/:id',               'read',   guardGet],
  ['guard-update',        'PATCH',  '/organizations/:organization/guards/:id',               'write',  guardUpdate],
  ['guard-delete',        'DELETE', '/organizations/:organization/guards/:id',               'write',  guardDelete],
  ['limit-list',          'GET',    '/organizations/:organization/limits',                   'read',   limitList],
  ['limit-create',        'POST',   '/organizations/:organization/limits',                   'write',  limitCreate],
  ['limit-get',           'GET',    '/organizations/:organization/limits/:id',               'read',   limitGet],
  ['limit-update',        'PATCH',  '/organizations/:organization/limits/:id',               'write',  limitUpdate],
  ['limit-delete',        'DELETE', '/organizations/:organization/limits/:id',               'write',  limitDelete],
  ['limit-explain',       'GET',    '/organizations/:organization/keys/:id/limits',          'read',   limitExplain],
  ['limit-alert-list',    'GET',    '/organizations/:organization/limit-alerts',             'read',   limitAlertList],

  ['policy-list',         'GET',    '/organizations/:organization/policies',                 'read',   policyList],
  ['policy-create',       'POST',   '/organizations/:organization/policies',                 'admin',  policyCreate],
  ['policy-get',          'GET',    '/organizations/:organization/policies/:id',             'read',   policyGet],
  ['policy-update',       'PATCH',  '/organizations/:organization/policies/:id',             'admin',  policyUpdate],
  ['policy-delete',       'DELETE', '/organizations/:organization/policies/:id',             'admin',  policyDelete],
  ['policy-validate',     'POST',   '/organizations/:organization/policy-checks',            'read',   policyValidate],
  ['policy-explain',      'GET',    '/organizations/:organization/keys/:id/access',          'read',   policyExplain],
  ['policy-schema-get',   'GET',    '/policy-schema',                                        'read',   policySchemaGet],

  ['top-up-list',         'GET',    '/organizations/:organization/top-ups',                  'read',   topUpList],
  ['top-up-create',       'POST',   '/organizations/:organization/top-ups',                  'write',  topUpCreate],
  ['top-up-delete',       'DELETE', '/organizations/:organization/top-ups/:id',              'write',  topUpDelete],

  ['route-list',          'GET',    '/organizations/:organization/routes',               'read',   routeList],
  ['route-create',        'POST',   '/organizations/:organization/routes',               'write',  routeCreate],
  ['route-get',           'GET',    '/organizations/:organization/routes/:id',           'read',   routeGet],
  ['route-update',        'PATCH',  '/organizations/:organization/routes/:id',           'write',  routeUpdate],
  ['route-delete',        'DELETE', '/organizations/:organization/routes/:id',           'write',  routeDelete],
  ['route-health',        'GET',    '/organizations/:organization/routes/:id/health',    'read',   routeHealth],

  ['deployment-list',     'GET',    '/organizations/:organization/deployments',          'read',   deploymentList],
  ['deployment-create',   'POST',   '/organizations/:organization/deployments',          'write',  deploymentCreate],
  ['deployment-get',      'GET',    '/organizations/:organization/deployments/:id',      'read',   deploymentGet],
  ['deployment-update',   'PATCH',  '/organizations/:organization/deployments/:id',      'write',  deploymentUpdate],
  ['deployment-delete',   'DELETE', '/organizations/:organization/deployments/:id',      'write',  deploymentDelete],
  ['deployment-test',     'POST',   '/organizations/:organization/deployments/:id/test', 'write',  deploymentTest],

  ['provider-list',       'GET',    '/providers',                                        'read',   providerList],
  ['provider-get',        'GET',    '/providers/:id',                                    'read',   providerGet],

  ['key-list',            'GET',    '/organizations/:organization/keys',                 'read',   keyList],
  ['key-create',          'POST',   '/organizations/:organization/keys',                 'keys',   keyCreate],
  ['key-get',             'GET',    '/organizations/:organization/keys/:id',             'read',   keyGet],
  ['key-update',          'PATCH',  '/organizations/:organization/keys/:id',             'keys',   keyUpdate],
  ['key-rotate',          'POST',   '/organizations/:organization/keys/:id/rotate',      'keys',   keyRotate],
  ['key-quarantine',      'POST',   '/organizations/:organization/keys/:id/quarantine',  'keys',   keyQuarantine],
  ['key-release',         'POST',   '/organizations/:organization/keys/:id/release',     'admin',  keyRelease],
  ['key-revoke',          'POST',   '/organizations/:organization/keys/:id/revoke',      'keys',   keyRevoke],

  ['token-issuer-list',       'GET',    '/organizations/:organization/token-issuers',                 'read',  tokenIssuerList],
  ['token-issuer-create',     'POST',   '/organizations/:organization/token-issuers',                 'write', tokenIssuerCreate],
  ['token-issuer-get',        'GET',    '/organizations/:organization/token-issuers/:id',             'read',  tokenIssuerGet],
  ['token-issuer-update',     'PATCH',  '/organizations/:organization/token-issuers/:id',             'write', tokenIssuerUpdate],
  ['token-issuer-delete',     'DELETE', '/organizations/:organization/token-issuers/:id',             'write', tokenIssuerDelete],
  ['token-revocation-list',   'GET',    '/organizations/:organization/token-issuers/:id/revocations', 'read',  tokenRevocationList],
  ['token-revocation-create', 'POST',   '/organizations/:organization/token-issuers/:id/revocations', 'keys',  tokenRevocationCreate],

  ['usage-summary',       'GET',    '/organizations/:organization/usage/summary',        'read',   usageSummary],
  ['usage-series',        'GET',    '/organizations/:organization/usage/series',         'read',   usageSeries],
  ['usage-export',        'GET',    '/organizations/:organization/usage/export',         'read',   usageExport],
  ['usage-records',       'GET',    '/organizations/:organization/usage/records',        'read',   usageRecords],

  ['live-watch',          'GET',    '/live',                                             'read',   liveWatch],

  ['content-get',         'GET',    '/organizations/:organization/content/:id',          'admin',  contentGet],

  ['sink-list',           'GET',    '/sinks',                                            'read',   sinkList],
  ['sink-dead-letters',   'GET',    '/sinks/:name/dead-letters',                         'admin',  sinkDeadLetters],
  ['sink-replay',         'POST',   '/sinks/:name/replay',                               'admin',  sinkReplay],

  ['admin-token-list',    'GET',    '/admin-tokens',                                     'admin',  adminTokenList],
  ['admin-token-create',  'POST',   '/admin-tokens',                                     'admin',  adminTokenCreate],
  ['admin-token-revoke',  'POST',   '/admin-tokens/:id/revoke',                          'admin',  adminTokenRevoke],

  ['audit-subject-erase', 'POST',   '/audit/subjects/erase',                             'admin',  auditSubjectErase],

  ['config-diff',         'POST',   '/config/diff',                                      'admin',  configDiff],
  ['config-apply',        'POST',   '/config/apply',                                     'admin',  configApply],
  ['config-export',       'GET',    '/config/export',                                    'admin',  configExport],
  ['status-get',          'GET',    '/status',                                           'read',   statusGet],

  ['secret-rewrap',       'POST',   '/secrets/rewrap',                                   'admin',  secretRewrap],
  ['pepper-rotate',       'POST',   '/secrets/pepper/rotate',                            'admin',  pepperRotate],

  ['setup-link-create',   'POST',   '/setup/links',                                      'admin',  setupLinkCreate],
  ['setup-exchange',      'POST',   '/setup/exchange',                                   'public', setupExchange],
]

export const adminTable: readonly AdminRow[] = rows.map(([name, method, path, scope, operation]) =>
  Object.freeze({ name, method, path, scope, operation }),
)
