import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CircuitBreaker, RetryBudget } from 'retryscope';
import { makeLimits } from '../../examples/demo/limits.ts';
import { serveMetrics } from '../../examples/demo/metrics-endpoint.ts';
import { type Service, startService } from '../../examples/demo/service.ts';
import { Shop } from '../../examples/demo/shop.ts';
import { closeServer } from '../../examples/demo/upstream.ts';
import { UpstreamControl } from '../../examples/demo/upstream-control.ts';

describe('the upstream', () => {
  it('follows the course of events until a person sets its phase, and again after that', () => {
    let progress = 0.01;
    const control = new UpstreamControl(() => progress);
    expect(control.phase().name).toBe('healthy');
    expect(control.force('outage')).toBe(true);
    progress = 0.3;
    expect(control.phase().name).toBe('outage');
    control.release();
    expect(control.phase().name).toBe('flaky');
  });

  it('refuses a phase that there is none', () => {
    const control = new UpstreamControl(() => 0);
    expect(control.force('meltdown')).toBe(false);
    expect(control.phase().name).toBe('healthy');
  });
});

describe('the service', () => {
  let service: Service;
  const control = new UpstreamControl(() => 0);
  const limits = makeLimits(undefined);
  beforeAll(async () => {
    service = await startService(new Shop('http://127.0.0.1:1', limits), control, 0);
  });
  afterAll(() => service.close());

  const ask = async (method: string, path: string): Promise<[number, string]> => {
    const response = await fetch(`${service.url}${path}`, { method });
    return [response.status, await response.text()];
  };

  it('lets a person break its upstream, and mend it', async () => {
    expect(await ask('PUT', '/upstream/outage')).toEqual([200, 'the upstream is in phase outage\n']);
    expect(control.phase().name).toBe('outage');
    expect(await ask('DELETE', '/upstream')).toEqual([200, 'the upstream is in phase healthy\n']);
  });

  it.each([
    ['PUT', '/upstream/meltdown'],
    ['PUT', '/upstream/__proto__'],
    ['GET', '/upstream/outage'],
    ['GET', '/'],
  ])('answers %s %s with what there is', async (method, path) => {
    expect(await ask(method, path)).toEqual([404, expect.stringContaining('PUT /upstream/healthy')]);
    expect(control.phase().name).toBe('healthy');
  });

  it('has a budget and a breaker of its own', () => {
    expect(limits.catalogue).toBeInstanceOf(RetryBudget);
    expect(limits.payments).toBeInstanceOf(CircuitBreaker);
  });
});

it('takes a free port for the metrics where the one that was asked for is taken, and says so', async () => {
  const squatter = createServer();
  await new Promise<void>(resolve => squatter.listen(0, 'localhost', resolve));
  const { port } = squatter.address() as AddressInfo;
  let said = 0;
  const { server, address } = await serveMetrics(
    (_request, response) => response.end('ok'),
    port,
    () => said++,
  );
  expect(said).toBe(1);
  expect(address).toMatch(/^http:\/\/localhost:\d+\/metrics$/);
  expect(address).not.toContain(`:${port}/`);
  expect(await (await fetch(address)).text()).toBe('ok');
  await Promise.all([closeServer(server), closeServer(squatter)]);
});
