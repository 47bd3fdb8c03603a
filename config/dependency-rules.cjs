/** The rule table of ARCHITECTURE.md, enforced by dependency-cruiser. */

/** What each library may import from the other libraries. */
const mayUse = {
  pipeline: [],
  corpus: ['pipeline'],
  tokenizer: ['pipeline'],
  inference: ['pipeline'],
  model: ['pipeline', 'tokenizer', 'inference'],
  hub: ['pipeline'],
  queue: ['pipeline'],
  config: [],
  metrics: ['pipeline'],
  run: ['pipeline', 'corpus', 'tokenizer', 'model', 'inference'],
  planner: ['pipeline'],
  plot: [],
  training: ['pipeline', 'corpus', 'tokenizer', 'model', 'inference', 'plot'],
};

const libraryRules = Object.entries(mayUse).map(([library, used]) => ({
  name: `${library}-imports-only-${used.length > 0 ? used.join('-') : 'itself'}`,
  severity: 'error',
  from: { path: `^libs/${library}/` },
  to: { path: '^libs/', pathNot: [library, ...used].map((name) => `^libs/${name}/`) },
}));

module.exports = {
  forbidden: [
    ...libraryRules,
    {
      name: 'libs-never-import-apps',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-do-not-import-each-other',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'pipeline-imports-no-package',
      comment: 'libs/pipeline is pure: Node itself and nothing from npm.',
      severity: 'error',
      from: { path: '^libs/pipeline/src/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'] },
    },
    {
      name: 'nest-stays-in-apps',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^node_modules/@nestjs/' },
    },
    {
      name: 'label-runs-without-nest',
      severity: 'error',
      from: { path: '^apps/cli/' },
      to: { path: '^node_modules/@nestjs/' },
    },
    {
      name: 'onnxruntime-stays-in-inference',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '^libs/inference/' },
      to: { path: '^node_modules/onnxruntime' },
    },
    {
      name: 'no-barrels',
      severity: 'error',
      from: {},
      to: { path: '^(apps|libs)/.*/index\\.ts$' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-test-code-in-production',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/|\\.spec\\.ts$' },
    },
    {
      name: 'no-dev-dependency-in-production',
      comment: 'The web page is bundled when it is built, so what it uses need not be there later.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.spec\\.ts$|^apps/producer/web/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'web-page-takes-only-types-of-the-producer',
      severity: 'error',
      from: { path: '^apps/producer/web/' },
      to: { path: '^apps/producer/src/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  required: [],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['sluice-source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.tsx', '.js', '.json'],
    },
  },
};
