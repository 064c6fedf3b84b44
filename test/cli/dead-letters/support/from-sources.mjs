/**
 * Lets a program that imports `retryscope` have its sources, without a build. A file of its own, which nobody writes: one
 * that each start of the program made anew would be empty for a moment, in which a program that has just been started
 * would read it.
 */
import { registerHooks } from 'node:module';

const SOURCES = new URL('../../../../src/', import.meta.url).href;

registerHooks({
  resolve: (name, context, next) => {
    if (name === 'retryscope') return next(`${SOURCES}index.ts`, context);
    const entry = /^retryscope\/(dead-letters(?:\/[a-z-]+)?)$/.exec(name)?.[1];
    return next(entry === undefined ? name : `${SOURCES}recovery/${entry}/index.ts`, context);
  },
});
