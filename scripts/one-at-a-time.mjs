// So that two commands that are started together in a fresh clone do not install, or build, into each other.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache');
/** Numbers of processes are given again: after this time the one that holds a lock is taken for somebody else. */
const LONGEST_MS = 15 * 60_000;

/** Runs `work` while no other process here runs work of this name; waits for one that does. */
export function oneAtATime(name, work) {
  const lock = join(folder, `${name}.lock`);
  mkdirSync(folder, { recursive: true });
  for (let looks = 0; !take(lock); looks++) {
    if (looks === 0) console.log(`Another command has begun to ${name}; waiting for it ...`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (!isHeld(lock)) rmSync(lock, { force: true });
  return false;
}

function isHeld(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > LONGEST_MS) return false;
    const holder = Number(readFileSync(lock, 'utf8'));
    // One that was made in this moment has no number in it yet.
    if (holder > 0) process.kill(holder, 0);
    return true;
  } catch (error) {
    // Else it has just been given back, or the process is another user's.
    return error.code !== 'ESRCH';
  }
}
