const vendors = '^(@opentelemetry/|prom-client|@prometheus-io/|winston|pino)';

/** The floors of the house: imports go down only, and each vendor is met in its own room. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'engine-stands-alone',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { pathNot: '^(src/engine/|node:|timers$|diagnostics_channel$)' },
    },
    {
      name: 'limits-stand-on-the-engine',
      severity: 'error',
      from: { path: '^src/(limits|recovery)/' },
      to: { path: '^(src/(forms|services)/|instrumentation/)' },
    },
    {
      name: 'only-the-door-goes-up',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/index\\.ts$' },
      to: { path: ['^instrumentation/', vendors] },
    },
    {
      name: 'vendors-in-their-rooms',
      severity: 'error',
      from: { path: '^instrumentation/', pathNot: '^instrumentation/(opentelemetry|setup)/' },
      to: { path: '^(node_modules/)?@opentelemetry/' },
    },
    {
      name: 'winston-in-its-room',
      severity: 'error',
      from: { path: '^instrumentation/', pathNot: '^instrumentation/loggers/winston\\.ts$' },
      to: { path: '^(node_modules/)?(winston|pino|prom-client|@prometheus-io)' },
    },
    {
      name: 'instrumentation-stands-on-the-engine',
      severity: 'error',
      from: { path: '^instrumentation/' },
      to: { path: '^src/(forms|services|index|core)' },
    },
    {
      name: 'dashboards-share-the-names-only',
      severity: 'error',
      from: { path: '^dashboards/' },
      to: { path: '^(src|instrumentation)/', pathNot: '^instrumentation/names\\.ts$' },
    },
    {
      name: 'examples-use-the-public-api',
      severity: 'error',
      from: { path: '^(examples|benchmarks)/' },
      to: { path: '^(src|instrumentation)/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
