import { setTimeout as delay } from 'node:timers/promises';

/** Requests that may be under way at once; more are left out, as an impatient user would leave. */
const MOST_AT_ONCE = 60;

/** Sends requests at a steady pace, whether or not the answers keep up, until `signal` aborts. */
export async function driveLoad(
  url: string,
  perSecond: number,
  random: () => number,
  signal: AbortSignal,
): Promise<{ readonly sent: number; readonly answered: number }> {
  const underWay = new Set<Promise<void>>();
  let sent = 0;
  let answered = 0;
  while (!signal.aborted) {
    if (underWay.size < MOST_AT_ONCE) {
      const request = fetch(`${url}/checkout?order=${++sent}`)
        .then(async response => {
          await response.text();
          answered++;
        })
        .catch(() => undefined)
        .finally(() => underWay.delete(request));
      underWay.add(request);
    }
    await delay((1000 / perSecond) * (0.5 + random()), undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(underWay);
  return { sent, answered };
}
