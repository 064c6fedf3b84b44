import { headerValues } from '../../engine/header-values.ts';
import { MOST_ATTEMPTS, parseAttemptNumber } from './attempt-number.ts';
import { attemptInBaggage } from './baggage.ts';
import { RETRY_ATTEMPT } from './outgoing-headers.ts';

/**
 * Reads from the headers of a request which attempt of its caller it is: from our own header, else W3C baggage, gRPC,
 * Envoy or the AWS SDKs, in that order. Undefined when none of them says so in a form that can be understood; what a
 * header holds beside digits is never believed. Never throws.
 *
 * @param headers `Headers`, the headers of a Node request, or any record of them
 */
export function readRetryAttempt(headers: object): IncomingAttempt | undefined {
  try {
    for (const read of READERS) {
      const found = read(headers);
      if (found !== undefined) return found;
    }
  } catch {
    // Headers that cannot be read say nothing.
  }
  return undefined;
}

/** Which attempt of its caller a request is. */
export interface IncomingAttempt {
  /** From 1. */
  readonly attempt: number;
  /** Undefined where the caller did not say. */
  readonly maxAttempts: number | undefined;
  /** In whose words it was said. */
  readonly source: 'own' | 'baggage' | 'grpc' | 'envoy' | 'aws';
}

type Reader = (headers: object) => IncomingAttempt | undefined;

const READERS: readonly Reader[] = [
  headers => matched(single(headers, RETRY_ATTEMPT), /^(\d+)(?:\s*;\s*max=(\d+))?$/, 'own'),
  headers => {
    const baggage = headerValues(headers, 'baggage').join(',');
    const found = baggage === '' ? undefined : attemptInBaggage(baggage);
    return found && { ...found, source: 'baggage' };
  },
  headers => {
    const previous = matched(single(headers, 'grpc-previous-rpc-attempts'), /^(\d+)$/, 'grpc');
    return previous && { ...previous, attempt: Math.min(previous.attempt + 1, MOST_ATTEMPTS) };
  },
  headers => matched(single(headers, 'x-envoy-attempt-count'), /^(\d+)$/, 'envoy'),
  headers => matched(single(headers, 'amz-sdk-request'), /^(?:ttl=\w{1,20}; )?attempt=(\d+)(?:; max=(\d+))?$/, 'aws'),
];

/** The value of a header that was sent once; undefined for one that was sent several times. */
function single(headers: object, name: string): string | undefined {
  const [value, ...more] = headerValues(headers, name);
  if (value === undefined || more.length > 0 || value.length > 100 || /[\r\n]/.test(value)) return undefined;
  return value.trim();
}

function matched(
  value: string | undefined,
  form: RegExp,
  source: IncomingAttempt['source'],
): IncomingAttempt | undefined {
  const found = value === undefined ? null : form.exec(value);
  const attempt = parseAttemptNumber(found?.[1]);
  return attempt === undefined ? undefined : { attempt, maxAttempts: parseAttemptNumber(found?.[2]), source };
}
