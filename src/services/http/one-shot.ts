import { read } from '../../engine/read.ts';

/**
 * True for a body that can be read only once: streams of the web and of Node, async generators and whatever else is
 * iterated asynchronously, generators, and what only has a `pipe`. A second attempt would send what is left of it, which is nothing.
 */
export function isOneShot(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  return ['getReader', 'pipe', 'next', Symbol.asyncIterator].some(method => typeof read(body, method) === 'function');
}
