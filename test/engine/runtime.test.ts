import { retry, setTesting } from '../../src/core.ts';
import { reportFault } from '../../src/engine/faults.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { VERSION } from '../../src/engine/version.ts';
import { FORMS } from '../support/forms.ts';

const always = (): never => {
  throw new Error('down');
};

afterEach(() => setTesting());

describe('setTesting', () => {
  it.each(FORMS.map(form => [form.name, form] as const))('changes every call of %s', async (_name, form) => {
    let calls = 0;
    const work = (): never => {
      calls++;
      return always();
    };
    setTesting({ attempts: 2, delays: 'none' });
    await expect(form.run(work, { maxAttempts: 9, initialDelay: 60_000 })).rejects.toThrow('down');
    expect(calls).toBe(2);
    setTesting({ attempts: 1 });
    await expect(form.run(work, { maxAttempts: 9, initialDelay: 60_000 })).rejects.toThrow('down');
    expect(calls).toBe(3);
  });

  it('never adds attempts', async () => {
    let calls = 0;
    setTesting({ attempts: 10, delays: 'none' });
    await retry(
      () => {
        calls++;
        return always();
      },
      { maxAttempts: 2 },
    ).catch(() => undefined);
    expect(calls).toBe(2);
  });

  it('tells the policy’s delays as none', async () => {
    const delays: number[] = [];
    setTesting({ delays: 'none' });
    await retry(always, { onRetry: ({ delayMs }) => delays.push(delayMs) }).catch(() => undefined);
    expect(delays).toEqual([0, 0]);
  });

  it.each<[object, typeof TypeError | typeof RangeError, string]>([
    [{ attempts: 0 }, RangeError, 'attempts is 0; it must be an integer of 1 or more'],
    [{ attempts: -1 }, RangeError, 'attempts is -1; it must be an integer of 1 or more'],
    [{ attempts: 1.5 }, RangeError, 'attempts is 1.5; it must be an integer of 1 or more'],
    [{ attempts: Number.NaN }, RangeError, 'attempts is NaN; it must be an integer of 1 or more'],
    [{ attempts: '2' }, TypeError, 'attempts is "2"; it must be an integer of 1 or more'],
    [{ delays: 'non' }, TypeError, 'delays is "non"; it must be \'none\''],
    [{ attemps: 2 }, TypeError, '"attemps" is not an option; did you mean "attempts"?'],
    [[], TypeError, 'the options of setTesting are a list of 0; they must be an object of options'],
  ])('refuses %j', (mode, kind, text) => {
    expect(() => setTesting(mode)).toThrow(kind);
    expect(() => setTesting(mode)).toThrow(text);
  });
});

describe('the runtime', () => {
  it('is shared by all copies of the package', () => {
    expect((globalThis as Record<symbol, unknown>)[Symbol.for('retryscope.runtime.1')]).toBe(runtime);
  });

  it('knows the version of the package', () => {
    expect(require('../../package.json').version).toBe(VERSION);
  });
});

describe('a fault', () => {
  it('is counted each time and told once, without its text', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    runtime.faults.delete('channel');
    reportFault('channel', new TypeError('password=hunter2'));
    reportFault('channel', new Error('again'));
    expect(runtime.faults.get('channel')).toBe(2);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toBe(
      'channel failed (TypeError). The retried call was not affected; further faults of this kind are counted, not printed.',
    );
    expect(warn.mock.calls[0]?.[1]).toEqual({ type: 'RetryscopeWarning', code: 'RETRYSCOPE_FAULT' });
    warn.mockRestore();
  });

  it.each<[string, () => unknown, string]>([
    ['text', () => 'text', 'string'],
    ['an odd name', () => ({ name: 'two words' }), 'object'],
    ['a getter that throws', () => Object.defineProperty({}, 'name', { get: always }), 'object'],
    ['nothing', () => undefined, 'undefined'],
  ])('is named by its kind: %s', (_name, make, kind) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    runtime.faults.delete('meter');
    reportFault('meter', make());
    expect(String(warn.mock.calls[0]?.[0])).toContain(`meter failed (${kind}).`);
    warn.mockRestore();
  });

  it('survives a process that forbids warnings', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {
      throw new Error('no warnings');
    });
    runtime.faults.delete('exporter');
    expect(() => reportFault('exporter', new Error('x'))).not.toThrow();
    warn.mockRestore();
  });
});
