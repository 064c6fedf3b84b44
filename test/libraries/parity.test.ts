import { runChild, SUBJECTS } from './support/children.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(120_000);

describe.each(SUBJECTS)('%s', library => {
  it.each(['import', 'require'] as const)('behaves the same with the patch on (%s)', async how => {
    const [plain, patched] = await Promise.all([runChild(library, 'plain', how), runChild(library, 'patched', how)]);
    expect(patched.seen).toEqual(plain.seen);
    expect(Object.keys(plain.seen).length).toBeGreaterThan(7);
  });

  it('has every call of it end, and no observer break', async () => {
    const { inFlight, faults, stderr } = await runChild(library, 'patched', 'import');
    expect([inFlight, faults, stderr]).toEqual([0, {}, '']);
  });

  it('has no telemetry without the patch', async () => {
    const { spans, metrics } = await runChild(library, 'plain', 'import');
    const names = Object.values(spans).flatMap(each => each.map(({ name }) => name));
    expect(names.filter(name => /^(retry|attempt) /.test(name))).toEqual([]);
    expect(metrics).toEqual({});
  });
});
