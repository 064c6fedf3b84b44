import { retryWithBackoff } from '../../src/core.ts';
import { recordCalls } from '../../src/testing/index.ts';

const noWait = { initialDelay: 0, jitter: false } as const;

class Service {
  static calls = 0;
  calls = 0;

  @retryWithBackoff(noWait)
  async method(value: number): Promise<number> {
    if (++this.calls < 2) throw new Error('once');
    return value + this.calls;
  }

  @retryWithBackoff(noWait)
  static async ofClass(): Promise<number> {
    if (++Service.calls < 3) throw new Error('twice');
    return Service.calls;
  }
}

describe('the decorator under experimentalDecorators', () => {
  it('works on methods and static ones, and keeps this, name and length', async () => {
    await expect(new Service().method(40)).resolves.toBe(42);
    await expect(Service.ofClass()).resolves.toBe(3);
    expect([Service.prototype.method.name, Service.prototype.method.length]).toEqual(['method', 1]);
  });

  it('names the operation after the method, a symbol by its description', async () => {
    const observer = recordCalls();
    const key = Symbol('hidden');
    class Named {
      @retryWithBackoff({ observer })
      async loadUser(): Promise<number> {
        return 1;
      }
      @retryWithBackoff({ observer })
      async [key](): Promise<number> {
        return 2;
      }
    }
    const named = new Named();
    await named.loadUser();
    await named[key]();
    expect(observer.calls.map(call => call.info.operation)).toEqual(['loadUser', 'hidden']);
  });

  it('refuses accessors, fields and classes', () => {
    const decorate = retryWithBackoff() as unknown as (...args: unknown[]) => unknown;
    expect(() => decorate({}, 'x', { get: () => 1 })).toThrow('this is an accessor');
    expect(() => decorate({}, 'x', { set: () => 1 })).toThrow('this is an accessor');
    expect(() => decorate({}, 'x', undefined)).toThrow('this is a field');
    expect(() => decorate({}, 'x', { value: 5 })).toThrow('this is a field');
    // As TypeScript decorates a class, and as nobody does.
    expect(() => decorate(class {})).toThrow('this is a class');
    expect(() => decorate(class {}, undefined)).toThrow('this is a class');
    expect(() => decorate()).toThrow(TypeError);
  });
});
