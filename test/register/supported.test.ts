import { LIBRARIES } from '../../instrumentation/libraries/index.ts';
import { SERVICES } from '../../instrumentation/register/services/index.ts';
import { supported } from '../../instrumentation/register/supported.ts';

describe('the table of what is supported', () => {
  it('has one row for each name, and in it every package', () => {
    const rows = supported();
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    for (const { name, module, versions } of [...LIBRARIES, ...SERVICES]) {
      expect(rows.find(row => row.name === name)?.packages).toContainEqual(
        expect.objectContaining({ module, versions }),
      );
    }
  });

  it('has the same versions for a package wherever it is patched', () => {
    const byModule = Map.groupBy([...LIBRARIES, ...SERVICES], ({ module }) => module);
    for (const libraries of byModule.values()) {
      expect(new Set(libraries.map(({ versions }) => versions.join()))).toHaveProperty('size', 1);
    }
  });
});
