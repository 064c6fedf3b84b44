/** @throws TypeError when `fn` is no function, naming the form that was called */
export function requireFunction(form: string, fn: unknown): void {
  if (typeof fn !== 'function')
    throw new TypeError(`${form}: the first argument is ${typeof fn}; it must be a function`);
}
