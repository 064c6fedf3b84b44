import type { Registry as PromRegistry } from 'prom-client';

/** The modules of one process: each test has its own. */
interface Modules {
  readonly prometheus: typeof import('../../instrumentation/prometheus/index.ts');
  readonly core: typeof import('../../src/core.ts');
  readonly opentelemetry: typeof import('../../instrumentation/opentelemetry/index.ts');
  /** Imports the main entry. */
  readonly openDoor: () => typeof import('../../src/index.ts');
  readonly registry: PromRegistry;
}

function freshProcess(): Modules {
  for (const key of Object.getOwnPropertySymbols(globalThis)) {
    if (key.description?.startsWith('retryscope.')) Reflect.deleteProperty(globalThis, key);
  }
  jest.resetModules();
  return {
    prometheus: require('../../instrumentation/prometheus/index.ts'),
    core: require('../../src/core.ts'),
    opentelemetry: require('../../instrumentation/opentelemetry/index.ts'),
    openDoor: () => require('../../src/index.ts'),
    registry: new (require('prom-client').Registry)(),
  };
}

/** How often the registry shows a successful call of `x`. */
async function shown(registry: PromRegistry): Promise<number | undefined> {
  const metric = (await registry.getMetricsAsJSON()).find(({ name }) => name === 'retry_calls_total');
  return metric?.values.find(({ labels }) => labels.operation === 'x' && labels.outcome === 'success')?.value;
}

const options = { operation: 'x' };

describe('a call is counted once', () => {
  it('with the core alone', async () => {
    const { prometheus, core, registry } = freshProcess();
    prometheus.registerRetryMetrics(registry);
    prometheus.registerRetryMetrics(registry);
    await core.retry(() => 1, options);
    expect(await shown(registry)).toBe(1);
  });

  it('when the registry comes after the main entry', async () => {
    const { prometheus, openDoor, registry } = freshProcess();
    const { retry } = openDoor();
    prometheus.registerRetryMetrics(registry);
    await retry(() => 1, options);
    expect(await shown(registry)).toBe(1);
  });

  it('when the registry comes before the main entry', async () => {
    const { prometheus, openDoor, registry } = freshProcess();
    prometheus.registerRetryMetrics(registry);
    const { retry } = openDoor();
    await retry(() => 1, options);
    expect(await shown(registry)).toBe(1);
  });

  it('when an OpenTelemetry observer is added to the core, before or after', async () => {
    for (const isFirst of [true, false]) {
      const { prometheus, core, opentelemetry, registry } = freshProcess();
      if (!isFirst) prometheus.registerRetryMetrics(registry);
      core.addObserver(opentelemetry.openTelemetryObserver());
      if (isFirst) prometheus.registerRetryMetrics(registry);
      await core.retry(() => 1, options);
      expect(await shown(registry)).toBe(1);
    }
  });

  it('when the observer that counted is taken away', async () => {
    const { prometheus, core, opentelemetry, registry } = freshProcess();
    prometheus.registerRetryMetrics(registry);
    const remove = core.addObserver(opentelemetry.openTelemetryObserver());
    await core.retry(() => 1, options);
    remove();
    await core.retry(() => 1, options);
    expect(await shown(registry)).toBe(2);
  });

  it('when a policy names an observer of its own', async () => {
    const { prometheus, opentelemetry, openDoor, registry } = freshProcess();
    const { retry } = openDoor();
    prometheus.registerRetryMetrics(registry);
    await retry(() => 1, { ...options, observer: opentelemetry.openTelemetryObserver() });
    expect(await shown(registry)).toBe(1);
  });

  it('with two copies of the package', async () => {
    const first = freshProcess();
    first.prometheus.registerRetryMetrics(first.registry);
    jest.resetModules();
    const prometheus: Modules['prometheus'] = require('../../instrumentation/prometheus/index.ts');
    const registry: PromRegistry = new (require('prom-client').Registry)();
    prometheus.registerRetryMetrics(registry);
    const { retry }: Modules['core'] = require('../../src/core.ts');
    await retry(() => 1, options);
    expect([await shown(first.registry), await shown(registry)]).toEqual([1, 1]);
  });
});
