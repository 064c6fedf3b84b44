import { classifyError } from '../../src/engine/classify.ts';
import { saysAlreadyRetried, saysRetry } from '../../src/engine/server-hints.ts';

const withHeader = (name: string, value: unknown): unknown => ({ headers: { [name]: value } });
const throwing = {
  get headers(): never {
    throw new Error('no');
  },
};

describe('saysRetry', () => {
  it.each<[string, unknown, boolean | undefined]>([
    ['yes', withHeader('X-Should-Retry', 'true'), true],
    ['no', withHeader('x-should-retry', 'false'), false],
    ['no before yes', withHeader('x-should-retry', ['true', 'false']), false],
    ['nothing that is understood', withHeader('x-should-retry', '1'), undefined],
    ['nothing', withHeader('x-other', 'true'), undefined],
    ['yes in the response', { response: new Response('', { headers: { 'x-should-retry': 'true' } }) }, true],
    ['nothing where it cannot be read', throwing, undefined],
    ['nothing where there is nothing', undefined, undefined],
  ])('%s', (_name, failure, expected) => {
    expect(saysRetry(failure)).toBe(expected);
  });

  it.each<[string, object, string]>([
    [
      'a yes makes a permanent status worth another attempt',
      { status: 409, headers: { 'x-should-retry': 'true' } },
      'transient',
    ],
    ['a no leaves it', { status: 409, headers: { 'x-should-retry': 'false' } }, 'permanent'],
    ['so does silence', { status: 409, headers: {} }, 'permanent'],
    [
      'a mistake in the program stays one',
      new TypeError('x', { cause: new Headers({ 'x-should-retry': 'true' }) }),
      'permanent',
    ],
    ['the status of got is known', { response: { statusCode: 404 } }, 'permanent'],
    ['the status of the AWS SDK is known', { $metadata: { httpStatusCode: 400 } }, 'permanent'],
    ['and 429 there', { $metadata: { httpStatusCode: 429 } }, 'throttled'],
    ['a status that is no number says nothing', { $metadata: { httpStatusCode: '400' } }, 'transient'],
  ])('%s', (_name, failure, expected) => {
    expect(classifyError(failure)).toBe(expected);
  });
});

describe('saysAlreadyRetried', () => {
  it.each<[string, unknown, boolean]>([
    ['yes', withHeader('Retry-Stop', 'already_retried'), true],
    ['another reason', withHeader('retry-stop', 'overloaded'), false],
    ['nothing', withHeader('x-should-retry', 'false'), false],
    [
      'yes in the metadata of gRPC',
      { metadata: { get: (name: string) => (name === 'retry-stop' ? ['already_retried'] : []) } },
      true,
    ],
    ['nothing where it cannot be read', throwing, false],
    ['nothing where there is nothing', undefined, false],
  ])('%s', (_name, failure, expected) => {
    expect(saysAlreadyRetried(failure)).toBe(expected);
  });
});
