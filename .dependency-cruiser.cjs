// The layers of ARCHITECTURE.md as rules. `npm run check` runs them and counts the modules it saw.
//
//   kernel ← faults, domain ← ports ← slices ← { gateway, admin, portal, authorization-server } ← compose ← main
//
// Type-only imports count. A test may import what it likes below src, but cycles are forbidden to it too.

const sliceNames = [
  'identity',
  'access',
  'limits',
  'inspection',
  'privacy',
  'encryption',
  'providers',
  'routing',
  'metering',
  'egress',
  'usage',
  'publishing',
  'resources',
  'anomaly',
  'threat-intel',
  'response',
  'audit',
  'events',
  'delivery',
  'tracing',
  'telemetry',
]
const otherFolders = [
  'kernel',
  'faults',
  'config',
  'domain',
  'ports',
  'gateway',
  'admin',
  'portal',
  'authorization-server',
  'adapters',
  'compose',
  'supervisor',
  'cli',
]
const slices = `^src/(${sliceNames.join('|')})/`

// Slices that read the configuration: a document of resources has its shape from there.
const slicesWithConfig = ['resources']

// The only ties between slices: from → to, always through index.ts. Keep it short; each has a reason.
const sliceTies = [
  ['metering', 'providers', 'a price belongs to a model of a provider'],
  ['providers', 'egress', 'every address that a provider names passes the egress guard'],
  ['publishing', 'access', 'a snapshot carries policies as they were read and checked'],
  ['resources', 'access', 'a policy in a document is checked before it is stored'],
  ['publishing', 'identity', 'a snapshot carries the keys that callers prove themselves with'],
  ['tracing', 'telemetry', 'spans and metrics call operations and providers alike'],
  ['identity', 'egress', 'keys of token issuers are fetched through the egress guard'],
  ['resources', 'inspection', 'a guard names rules of detectors'],
  ['routing', 'providers', 'a route ends at deployments, which are rows of providers'],
]

const tests = ['\\.test\\.ts$', '\\.contract[a-z-]*\\.ts$', '/harness/']
const production = (path) => ({ path, pathNot: tests })

/** A layer that may import, below src, only itself and `allowed`. */
function layer(name, allowed) {
  return {
    name: `${name}-layer`,
    comment: `src/${name} may import only: ${['itself', ...allowed].join(', ')}`,
    severity: 'error',
    from: production(`^src/${name}/`),
    to: {
      path: '^(src|clients|console|test|bench|tools)/',
      pathNot: `^src/(${[name, ...allowed].join('|')})/`,
    },
  }
}

const tieRules = sliceNames.map((name) => {
  const allowed = [name, ...sliceTies.filter(([from]) => from === name).map(([, to]) => to)]
  return {
    name: 'slice-to-slice-ties-are-named',
    comment: 'a tie between two slices is added to sliceTies in this file, with its reason',
    severity: 'error',
    from: production(`^src/${name}/`),
    to: { path: slices, pathNot: `^src/(${allowed.join('|')})/` },
  }
})

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    layer('kernel', []),
    layer('faults', ['kernel', 'domain']),
    layer('domain', ['kernel', 'faults']),
    layer('ports', ['domain', 'kernel', 'faults']),
    layer('adapters', ['ports', 'domain', 'kernel', 'faults']),
    {
      name: 'kernel-imports-nothing',
      comment: 'the kernel uses Node.js alone',
      severity: 'error',
      from: production('^src/kernel/'),
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'domain-is-types',
      comment: 'domain and ports use no package',
      severity: 'error',
      from: production('^src/(domain|ports)/'),
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'slice-not-adapters-or-planes',
      comment: 'a slice sees ports, domain, kernel and faults; it is wired by compose',
      severity: 'error',
      from: production(slices),
      to: {
        path: '^(src/(adapters|gateway|admin|portal|authorization-server|supervisor|cli|compose|main)|clients|console|test|bench|tools)\\b',
      },
    },
    {
      name: 'slice-not-configuration',
      comment: 'a slice is handed its settings',
      severity: 'error',
      from: { path: slices, pathNot: [...tests, `^src/(${slicesWithConfig.join('|')})/`] },
      to: { path: '^src/config/' },
    },
    {
      name: 'slice-to-slice-via-index-only',
      comment: 'the public face of a slice is its index.ts',
      severity: 'error',
      from: production(slices),
      to: { path: slices, pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    ...tieRules,
    {
      name: 'data-plane-does-not-see-control-plane',
      severity: 'error',
      from: production('^src/gateway/'),
      to: { path: '^src/(admin|portal|authorization-server)/' },
    },
    {
      name: 'control-plane-does-not-see-data-plane',
      severity: 'error',
      from: production('^src/(admin|portal|authorization-server)/'),
      to: { path: '^src/gateway/' },
    },
    {
      name: 'planes-do-not-see-composition',
      comment: 'a plane is handed what it needs',
      severity: 'error',
      from: production('^src/(gateway|admin|portal|authorization-server|config)/'),
      to: { path: '^src/(adapters/|cli/|compose|main)' },
    },
    {
      name: 'adapters-only-wired-in-compose',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/adapters/', '^src/compose(\\.ts|/)', ...tests] },
      to: { path: '^src/adapters/' },
    },
    {
      name: 'main-is-nobodys-import',
      severity: 'error',
      from: { path: '^(src|bench|tools)/', pathNot: tests },
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'product-does-not-see-tools',
      severity: 'error',
      from: production('^src/'),
      to: { path: '^(test|bench|tools|console|examples)/' },
    },
    {
      name: 'clients-and-console-see-no-source',
      severity: 'error',
      from: production('^(clients|console|examples)/'),
      to: { path: '^src/' },
    },
    {
      name: 'product-uses-shipped-packages-only',
      comment: 'what src imports is in dependencies, not in devDependencies, and declared',
      severity: 'error',
      from: production('^src/'),
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm'] },
    },
    {
      name: 'every-folder-has-a-layer',
      comment:
        'a new folder of src is a slice (add it to sliceNames) or a plane; there is no place for odds and ends',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: `^src/(${[...sliceNames, ...otherFolders].join('|')})/` },
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/planted/' },
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'types', 'default'],
    },
  },
}
