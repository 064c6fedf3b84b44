import type { FetchRequest } from './fetch-request.ts';
import { BodyUsedError } from './http-errors.ts';
import { isOneShot } from './one-shot.ts';
import type { HttpAttempt } from './run-request.ts';

/** What is sent in the attempts of one call: the same each time, and never what is left of a stream. */
export class FetchBodies {
  readonly #request: FetchRequest;
  /** A Request whose body nobody has read, for the attempt after this one. */
  #spare: Request | undefined;
  #latest: unknown;

  constructor(request: FetchRequest) {
    this.#request = request;
  }

  /** The Request to send in an attempt; undefined when there is none. Only the last may take the body with it. */
  requestFor({ mayFollow }: HttpAttempt): Request | undefined {
    const { request, init } = this.#request;
    const sent = this.#spare ?? request;
    this.#spare = undefined;
    const hasBody = sent?.body !== null && sent?.body !== undefined && (init.body ?? undefined) === undefined;
    // A used Request is for fetch to refuse.
    if (sent !== undefined && hasBody && mayFollow && !sent.bodyUsed && !sent.body?.locked) this.#spare = sent.clone();
    return sent;
  }

  /** The properties of init that make the body of an attempt. */
  async bodyFor({ name, context }: HttpAttempt): Promise<Record<string, unknown>> {
    const { makeBody, init } = this.#request;
    if (makeBody === undefined) return {};
    const body = await makeBody();
    if (!isOneShot(body)) return { body };
    // The very stream that the attempt before has read would be sent empty.
    if (body === this.#latest) throw new BodyUsedError(name, context.previousError);
    this.#latest = body;
    return { body, duplex: init.duplex ?? 'half' };
  }

  /** Lets go of what was kept for another attempt. */
  end(): void {
    this.#spare?.body?.cancel().catch(() => undefined);
    this.#spare = undefined;
  }
}
