/**
 * Keeps one object of a class for good, and with it what V8 has compiled for the class.
 *
 * V8 forgets the shape of objects when a garbage collection finds none of them, and throws away the code that it has
 * optimised for the shape. Calls are few and short as long as nothing fails, so the storm after a quiet time met code
 * that had to be compiled again: it cost twice the processor time that it costs now.
 */
export function keepShape(object: object): void {
  kept.push(object);
}

const kept: object[] = [];
