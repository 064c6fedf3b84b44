export type { AtomicWriteOptions } from './atomic-options.ts';
export { classifyFileError } from './classify-file-error.ts';
export { FILE_DEFAULTS, type FileRetryOptions } from './file-policy.ts';
export { readFile, rename } from './ready-operations.ts';
export { retryFile, retryFileSync } from './retry-file.ts';
export { writeFileAtomic } from './write-file-atomic.ts';
export { writeFileAtomicSync } from './write-file-atomic-sync.ts';
