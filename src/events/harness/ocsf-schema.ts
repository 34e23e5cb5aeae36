/**
 * What OCSF 1.5.0 says about the classes and objects that we write, taken from the published schema (events/, objects/ of
 * ocsf-schema): allowed attributes with their types, required ones, `at_least_one` constraints, allowed activities.
 * `*` marks a required attribute, `[]` a list, `@name` an object.
 */
export interface OcsfShape {
  readonly attributes: Readonly<Record<string, string>>
  readonly atLeastOne: readonly string[]
}
export interface OcsfClassShape extends OcsfShape {
  readonly category: number
  readonly activities: readonly number[]
  readonly statuses: readonly number[]
}

const base = {
  activity_id: 'integer*',
  activity_name: 'string',
  category_uid: 'integer*',
  class_uid: 'integer*',
  type_uid: 'integer*',
  time: 'integer*',
  severity_id: 'integer*',
  metadata: '@metadata*',
  message: 'string',
  count: 'integer',
  duration: 'integer',
  status_id: 'integer',
  status_code: 'string',
  unmapped: 'any',
}
const done = [0, 1, 2, 99]
const lifecycle = [0, 1, 2, 3, 4, 5, 6, 99]
const finding = { ...base, finding_info: '@finding_info*', resources: '@resource_details[]' }

export const ocsfClasses: Readonly<Record<number, OcsfClassShape>> = {
  6003: {
    category: 6,
    activities: [0, 1, 2, 3, 4, 99],
    statuses: done,
    attributes: {
      ...base,
      actor: '@actor*',
      api: '@api*',
      src_endpoint: '@network_endpoint*',
      http_response: '@http_response',
      resources: '@resource_details[]',
    },
    atLeastOne: [],
  },
  3002: {
    category: 3,
    activities: [0, 1, 2, 3, 4, 5, 6, 99],
    statuses: done,
    attributes: {
      ...base,
      user: '@user*',
      service: '@service',
      is_remote: 'boolean',
      src_endpoint: '@network_endpoint',
    },
    atLeastOne: ['service', 'dst_endpoint'],
  },
  3001: {
    category: 3,
    activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99],
    statuses: done,
    attributes: { ...base, user: '@user*', actor: '@actor', src_endpoint: '@network_endpoint' },
    atLeastOne: [],
  },
  2004: {
    category: 2,
    activities: [0, 1, 2, 3, 99],
    statuses: lifecycle,
    attributes: finding,
    atLeastOne: [],
  },
  2006: {
    category: 2,
    activities: [0, 1, 2, 3, 4, 99],
    statuses: lifecycle,
    attributes: { ...finding, actor: '@actor', src_endpoint: '@network_endpoint' },
    atLeastOne: [],
  },
}

export const ocsfObjects: Readonly<Record<string, OcsfShape>> = {
  metadata: {
    attributes: {
      version: 'string*',
      product: '@product*',
      uid: 'string',
      log_name: 'string',
      correlation_uid: 'string',
    },
    atLeastOne: [],
  },
  product: {
    attributes: { name: 'string', vendor_name: 'string', version: 'string' },
    atLeastOne: ['name', 'uid'],
  },
  finding_info: {
    attributes: { uid: 'string*', title: 'string', types: 'string[]', created_time: 'integer' },
    atLeastOne: [],
  },
  actor: {
    attributes: { user: '@user', app_uid: 'string' },
    atLeastOne: ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'],
  },
  user: {
    attributes: { uid: 'string', name: 'string', type: 'string', org: '@organization' },
    atLeastOne: ['account', 'name', 'uid'],
  },
  organization: { attributes: { uid: 'string', name: 'string' }, atLeastOne: ['name', 'uid'] },
  api: { attributes: { operation: 'string*', service: '@service', request: '@request' }, atLeastOne: [] },
  request: { attributes: { uid: 'string*' }, atLeastOne: [] },
  service: { attributes: { name: 'string', uid: 'string' }, atLeastOne: ['name', 'uid'] },
  network_endpoint: {
    attributes: { ip: 'ip', name: 'string' },
    atLeastOne: [
      'ip',
      'uid',
      'name',
      'hostname',
      'svc_name',
      'instance_uid',
      'interface_uid',
      'interface_name',
    ],
  },
  http_response: { attributes: { code: 'integer*', length: 'integer' }, atLeastOne: [] },
  resource_details: {
    attributes: { uid: 'string', name: 'string', type: 'string' },
    atLeastOne: ['name', 'uid'],
  },
}
