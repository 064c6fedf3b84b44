import { openPayload } from './open-payload.ts';
import type { RegisteredOperation } from './operation-registry.ts';
import type { PayloadCipher } from './payload-cipher.ts';
import type { StoredCall } from './stored-call.ts';

/** Why a stored call cannot be made by this process, or at all. */
export type Obstacle =
  | { readonly is: 'untried'; readonly why: 'not_here' }
  | { readonly is: 'impossible'; readonly why: string };

/** The arguments as they were stored; undefined where they could not be kept, and the operation can do without. */
export type StoredArguments = { readonly stored: readonly unknown[] | undefined };

/** Reads the arguments of a stored call, and says where they will not do. Never rejects. */
export async function storedArguments(
  call: Pick<StoredCall, 'id' | 'operation' | 'payload'>,
  operation: RegisteredOperation,
  cipher: PayloadCipher | undefined,
): Promise<StoredArguments | Obstacle> {
  const obstacle = obstacleOf(call, operation);
  if (obstacle !== undefined) return obstacle;
  const opened = await openPayload(call, cipher);
  if ('locked' in opened) return { is: 'untried', why: 'not_here' };
  const stored = 'args' in opened ? opened.args : undefined;
  return stored === undefined && operation.restore === undefined
    ? { is: 'impossible', why: 'the payload cannot be read' }
    : { stored };
}

/** Why a call cannot be made by this process, as far as can be seen without opening it. Undefined when it can. */
export function obstacleOf(
  { payload }: Pick<StoredCall, 'payload'>,
  operation: RegisteredOperation | undefined,
): Obstacle | undefined {
  if (operation === undefined || payload.version > operation.version) return { is: 'untried', why: 'not_here' };
  if (payload.kind === 'omitted' && payload.why === 'newer_version') return { is: 'untried', why: 'not_here' };
  if (operation.restore !== undefined) return undefined;
  if (payload.kind === 'omitted') return { is: 'impossible', why: `the payload is not there: ${payload.why}` };
  if (payload.altered.length > 0)
    return { is: 'impossible', why: `the payload was altered: ${payload.altered.join(', ')}` };
  if (payload.version < operation.version) {
    return { is: 'impossible', why: `the payload has version ${payload.version}, the operation ${operation.version}` };
  }
  return undefined;
}
