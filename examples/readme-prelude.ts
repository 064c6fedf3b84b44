// What the examples of the README take for granted: services that fail now and then.

/** A user, as the examples know it. */
export interface User {
  readonly id: string;
  readonly name: string;
}

let calls = 0;

/** Every second call fails, as a busy upstream would make it. */
function busy(): void {
  if (++calls % 2 === 1) throw Object.assign(new Error('The upstream is busy'), { status: 503, retryAfterMs: 5 });
}

/** Loads a user over the network, so to speak. */
export async function fetchUser(id: string, signal?: AbortSignal): Promise<User> {
  signal?.throwIfAborted();
  busy();
  return { id, name: 'Ada' };
}

/** Loads exchange rates. */
export async function fetchRates(signal?: AbortSignal): Promise<Record<string, number>> {
  signal?.throwIfAborted();
  busy();
  return { EUR: 1 };
}

/** Reads a file on a share that is not always there. */
export function readShare(path: string): string {
  busy();
  return path;
}

/** What an example shows. */
export function show(value: unknown): void {
  console.log(value);
}
