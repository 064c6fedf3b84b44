import fc from 'fast-check';
import { AttemptTimeoutError, type Classifier, retry } from 'retryscope/core';
import { FakeClock } from 'retryscope/testing';
import { type CodeTable, classifyByCode } from '../../../src/services/classify/index.ts';
import { HOSTILE_VALUES } from '../../hostile/values.ts';
import { settle } from '../../support/settle.ts';

const ask = (classifier: Classifier, error: unknown): unknown => classifier(error, { attempt: 1 });
const withCode = (code: unknown, more: object = {}): Error => Object.assign(new Error('failed'), { code, ...more });

const TABLE: CodeTable = {
  transient: ['ECONNRESET', 503, /^5\d\d$/, 'BusyError'],
  throttled: ['TOO_MANY', 429],
  permanent: [/^AUTH_/, 501],
  otherwise: 'permanent',
};

describe('classifyByCode', () => {
  const classifier = classifyByCode(TABLE);

  it.each([
    ['a code that is a string', withCode('ECONNRESET'), 'transient'],
    ['a code that is a number', withCode(503), 'transient'],
    ['a pattern on a string', withCode('AUTH_EXPIRED'), 'permanent'],
    ['a pattern on a number', withCode(599), 'transient'],
    ['a code that is written out before a pattern that fits too', withCode(501), 'permanent'],
    ['errno', withCode(undefined, { errno: 'TOO_MANY' }), 'throttled'],
    ['status', withCode(undefined, { status: 429 }), 'throttled'],
    ['statusCode', withCode(undefined, { statusCode: 502 }), 'transient'],
    ['name', withCode(undefined, { name: 'BusyError' }), 'transient'],
    ['the next property when the first is not in the table', withCode('OTHER', { status: 429 }), 'throttled'],
    ['otherwise', withCode('OTHER'), 'permanent'],
    ['"503" is not 503, but what a pattern fits is text', withCode('503'), 'transient'],
    ['"429" is not 429', withCode('429'), 'permanent'],
  ])('knows %s', (_, error, expected) => {
    expect(ask(classifier, error)).toBe(expected);
  });

  it('asks the causes, and the members of an AggregateError', () => {
    const wrapped = new Error('wrapped', { cause: new Error('deeper', { cause: withCode('TOO_MANY') }) });
    expect(ask(classifier, wrapped)).toBe('throttled');
    expect(ask(classifier, new AggregateError([new Error('a'), withCode('ECONNRESET')]))).toBe('transient');
    expect(ask(classifyByCode({ ...TABLE, causes: false }), wrapped)).toBe('permanent');
  });

  it('takes what an error says of itself before what its cause says', () => {
    expect(ask(classifier, withCode('AUTH_FAILED', { cause: withCode('ECONNRESET') }))).toBe('permanent');
  });

  it('asks the default classification where nothing fits', () => {
    const lenient = classifyByCode({ transient: ['A'] });
    expect(ask(lenient, new TypeError('x is not a function'))).toBe('permanent');
    expect(ask(lenient, withCode('B'))).toBe('transient');
    expect(ask(lenient, withCode('B', { status: 429 }))).toBe('throttled');
  });

  it('looks where it is told to', () => {
    const mysql = classifyByCode({ transient: ['40001'], otherwise: 'permanent', properties: ['sqlState'] });
    expect(ask(mysql, withCode('ER_LOCK', { sqlState: '40001' }))).toBe('transient');
    expect(ask(mysql, withCode('40001'))).toBe('permanent');
  });

  it('retries an attempt that timed out, whatever holds otherwise', () => {
    expect(ask(classifier, new AttemptTimeoutError(1, 10))).toBe('transient');
    const strict = classifyByCode({ permanent: ['ERR_RETRY_ATTEMPT_TIMEOUT'] });
    expect(ask(strict, new AttemptTimeoutError(1, 10))).toBe('permanent');
  });

  it('answers the same each time, for a pattern with the flag g or y too', () => {
    const sticky = classifyByCode({ transient: [/^A/g, /^B/y], otherwise: 'permanent' });
    for (let i = 0; i < 3; i++) {
      expect([ask(sticky, withCode('A1')), ask(sticky, withCode('B1'))]).toEqual(['transient', 'transient']);
    }
  });

  it('is not stopped by a text made for a slow pattern', () => {
    const slow = classifyByCode({ transient: [/^(a+)+$/], otherwise: 'permanent' });
    expect(ask(slow, withCode(`${'a'.repeat(5000)}!`))).toBe('permanent');
  });

  it('never throws, whatever was thrown', () => {
    for (const [, make] of HOSTILE_VALUES) expect(['transient', 'permanent']).toContain(ask(classifier, make()));
  });

  it('does not change when the table is changed afterwards', () => {
    const transient = ['A'];
    const own = classifyByCode({ transient, otherwise: 'permanent' });
    transient.push('B');
    expect(ask(own, withCode('B'))).toBe('permanent');
  });

  it('finds each code of any table, and nothing else', () => {
    const codes = fc.uniqueArray(fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.integer()), { maxLength: 20 });
    fc.assert(
      fc.property(codes, codes, fc.oneof(fc.string(), fc.integer()), (transient, rest, probe) => {
        const permanent = rest.filter(code => !transient.includes(code));
        fc.pre(transient.length + permanent.length > 0);
        const own = classifyByCode({ transient, permanent, otherwise: 'cancelled', properties: ['code'] });
        for (const code of transient) expect(ask(own, { code })).toBe('transient');
        for (const code of permanent) expect(ask(own, { code })).toBe('permanent');
        if (!transient.includes(probe) && !permanent.includes(probe)) {
          expect(ask(own, { code: probe })).toBe('cancelled');
        }
      }),
    );
  });

  it('serves as retryOn of a policy', async () => {
    const clock = new FakeClock();
    let calls = 0;
    const fn = (): never => {
      calls++;
      throw withCode(calls < 2 ? 'ECONNRESET' : 'AUTH_GONE');
    };
    const settled = await settle(clock, retry(fn, { clock, retryOn: classifier }));
    expect(settled).toMatchObject({ error: { code: 'AUTH_GONE' } });
    expect(calls).toBe(2);
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'the codes of the table are undefined; they must be an object'],
    ['no codes', {}, 'the table has no codes; one of transient, throttled and permanent must have some'],
    ['a misspelt list', { transcient: ['A'] }, '"transcient" is not an option; did you mean "transient"?'],
    ['no list', { transient: 'A' }, 'transient is "A"; it must be a list of codes'],
    ['an empty code', { transient: [''] }, 'transient[0] is ""; it must be a string of 1 to 200 characters'],
    ['NaN', { throttled: ['A', Number.NaN] }, 'throttled[1] is NaN; it must be a string'],
    ['an object', { permanent: [{}] }, 'permanent[0] is an object; it must be a string'],
    ['a code in two lists', { transient: ['A'], permanent: ['A'] }, '"A" is in the table twice'],
    ['a pattern twice', { transient: [/A/, /A/] }, '/A/ is in the table twice'],
    ['a wrong class', { transient: ['A'], otherwise: 'retry' }, 'otherwise is "retry"; it must be'],
    ['no properties', { transient: ['A'], properties: [] }, 'properties is a list of 0; it must be a list of 1 to 20'],
    ['causes of the wrong type', { transient: ['A'], causes: 1 }, 'causes is 1; it must be true or false'],
  ])('refuses %s', (_, table, text) => {
    expect(() => classifyByCode(table as CodeTable)).toThrow(text);
  });
});
