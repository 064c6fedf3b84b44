import { LIBRARIES } from '../../instrumentation/libraries/index.ts';
import { patched, patchedFunctionModule, patchMethod, withExports } from '../../instrumentation/libraries/patching.ts';

const double = (original: (...args: unknown[]) => unknown, self: unknown, args: unknown[]): unknown =>
  `patched ${String(Reflect.apply(original, self, args))}`;

describe('a function that is patched', () => {
  it('keeps its name, length, statics, prototype and this', () => {
    function add(this: { base: number }, a: number, b: number): number {
      return this.base + a + b;
    }
    add.statics = 'kept';
    const patch = patched(add, double as never);
    expect([patch.name, patch.length, patch.statics, patch.prototype]).toEqual(['add', 2, 'kept', add.prototype]);
    expect(patch.call({ base: 1 }, 2, 3)).toBe('patched 6');
  });

  it('is patched once', () => {
    const patch = patched(() => 1, double);
    expect(patched(patch, double)).toBe(patch);
    const owner = { run: () => 1 };
    patchMethod(owner, 'run', double);
    patchMethod(owner, 'run', double);
    expect(owner.run()).toBe('patched 1');
  });

  it('keeps the shape of a method where that stands', () => {
    class Policy {
      run(): number {
        return 1;
      }
    }
    patchMethod(Policy.prototype, 'run', double);
    expect(Object.getOwnPropertyDescriptor(Policy.prototype, 'run')).toMatchObject({
      enumerable: false,
      writable: true,
      configurable: true,
    });
    expect([Object.keys(new Policy()), new Policy().run()]).toEqual([[], 'patched 1']);
  });
});

describe('the exports of a module', () => {
  it('stay the same object where they can be written', () => {
    const exports = { a: 1, b: 2 };
    expect(withExports(exports, { a: 3, other: 4 })).toBe(exports);
    expect(exports).toEqual({ a: 3, b: 2 });
  });

  it.each([
    ['frozen', Object.freeze({ a: 1, b: 2 })],
    [
      'behind getters',
      Object.defineProperties({}, { a: { get: () => 1, enumerable: true }, b: { get: () => 2, enumerable: true } }),
    ],
  ])('are made anew where they are %s', (_how, exports) => {
    const made = withExports(exports, { a: 3 });
    expect(made).not.toBe(exports);
    expect({ ...(made as object) }).toEqual({ a: 3, b: 2 });
    expect({ ...exports }).toEqual({ a: 1, b: 2 });
  });

  it('are not touched where nothing of what is patched is there', () => {
    expect(() => withExports({ b: 2 }, { a: 1 })).toThrow(TypeError);
    expect(() => withExports(undefined, { a: 1 })).toThrow(TypeError);
    expect(() => patchedFunctionModule({ default: 1 }, double)).toThrow(TypeError);
  });

  it('may be a function itself', () => {
    expect((patchedFunctionModule(() => 1, double) as () => unknown)()).toBe('patched 1');
  });
});

describe('every library', () => {
  it.each(LIBRARIES.map(library => [`${library.name}, ${library.module}`, library] as const))(
    'refuses a module of another shape (%s), which stays as it was',
    (_name, library) => {
      for (const exports of [{}, { default: {} }, { default: 5 }, 5, undefined, null, Object.freeze({ other: 1 })]) {
        expect(() => library.patch(exports)).toThrow(TypeError);
      }
      // Where a function is exported, any function fits.
      const isClass = library.name === 'opossum' || library.name === 'ioredis';
      const strange = {
        default: isClass ? class {} : Object.assign({}, { prototype: {} }),
        RetryPolicy: class {},
        RetryHandler: class {},
        Options: class {},
      };
      const before = Object.values(strange).map(each => Reflect.ownKeys(each.prototype));
      expect(() => library.patch(strange)).toThrow();
      expect(Object.values(strange).map(each => Reflect.ownKeys(each.prototype))).toEqual(before);
    },
  );

  it('has a name, a package and ranges of versions', () => {
    for (const { name, does, module, versions } of LIBRARIES) {
      expect([does, name, module].every(Boolean)).toBe(true);
      expect(versions.every(range => /^>=[\d.]+ <\d+$/.test(range) || /^>=[\d.]+ <[\d.]+$/.test(range))).toBe(true);
    }
    const files = LIBRARIES.map(({ module, file }) => `${module} ${file ?? ''}`);
    expect(new Set(files).size).toBe(files.length);
  });
});
