import type { Classifier } from '../../engine/classify.ts';
import type { ErrorClass } from '../../engine/outcome.ts';
import { read } from '../../engine/read.ts';
import { classifyByCode } from '../classify/classify-by-code.ts';

/**
 * Classifies errors of the file system by their `code`. Transient are files that are busy, descriptors that have run
 * out, calls that were interrupted, and what network file systems say while their server is away; under Windows also
 * `EPERM` and `EACCES` of a rename or a removal, which a virus scanner or an indexer causes for a moment. Everything
 * else is permanent: `ENOENT`, `EACCES`, `EISDIR`, a full disk (`ENOSPC`, `EDQUOT`), one that may not be written
 * (`EROFS`), and what is no error of the file system. Never throws.
 */
export function classifyFileError(error: unknown): ErrorClass {
  return classifyOn(process.platform, error);
}

/** The same on a platform that is named. */
export function classifyOn(platform: NodeJS.Platform, error: unknown): ErrorClass {
  if (platform === 'win32' && isHeldByOthers(error)) return 'transient';
  // Nothing awaits here: the table answers at once.
  return byCode(error, { attempt: 1 }) as ErrorClass;
}

const byCode: Classifier = classifyByCode({
  transient: [
    'EBUSY',
    'ETXTBSY',
    'EMFILE',
    'ENFILE',
    'EAGAIN',
    'EINTR',
    'ENOLCK',
    // What a network file system says: the file's handle has gone stale, or the server does not answer. EIO is what a
    // soft mount of NFS says after its time-out; of a disk that breaks, five attempts do no harm.
    'ESTALE',
    'EIO',
    'EREMOTEIO',
    'ETIMEDOUT',
    'EHOSTDOWN',
    'EHOSTUNREACH',
    'ENETDOWN',
    'ENETUNREACH',
    'ENETRESET',
    'ECONNABORTED',
    'ECONNREFUSED',
    'ECONNRESET',
  ],
  otherwise: 'permanent',
  properties: ['code'],
});

const HELD: readonly unknown[] = ['EPERM', 'EACCES'];
const MOVES: readonly unknown[] = ['rename', 'unlink', 'rmdir', 'rm'];

function isHeldByOthers(error: unknown): boolean {
  return HELD.includes(read(error, 'code')) && MOVES.includes(read(error, 'syscall'));
}
