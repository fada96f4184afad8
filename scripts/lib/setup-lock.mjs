/**
 * A lock file, so that two commands started at once do not install or build over each other. Dependency-free.
 *
 * @module
 */
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';

const STALE_AFTER_MS = 30 * 60_000;
const POLL_MS = 200;

/** Blocks this thread; the setup has nothing else to do. */
function sleepMs(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function readOwner(path) {
  try {
    const text = readFileSync(path, 'utf8');
    const [pid, sinceMs] = text.trim().split(' ').map(Number);
    return { text, pid, sinceMs };
  } catch {
    return undefined;
  }
}

/** Moves a dead owner's lock away. Puts it back when somebody else took the lock between our look and our rename. */
function removeStale(path, owner) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (readOwner(aside)?.text !== owner.text) {
    try {
      linkSync(aside, path);
    } catch {
      // A third process holds the lock already; the one we displaced notices nothing worse than a second, idempotent run.
    }
  }
  unlinkSync(aside);
}

/**
 * Runs `action` while holding the lock at `path`, waiting for another holder if there is one.
 *
 * @param {string} path
 * @param {(pid: number) => void} onWait called once if another process holds the lock
 * @param {() => void} action
 */
export function withLock(path, onWait, action) {
  const mine = `${process.pid} ${Date.now()}\n`;
  let announced = false;
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = readOwner(path);
    // An owner that has created but not yet written its file reads as NaN: give it a moment.
    if (owner !== undefined && Number.isFinite(owner.sinceMs)) {
      if (!isAlive(owner.pid) || Date.now() - owner.sinceMs > STALE_AFTER_MS) {
        removeStale(path, owner);
        continue;
      }
      if (!announced) onWait(owner.pid);
      announced = true;
    }
    sleepMs(POLL_MS);
  }
  const release = () => {
    if (readOwner(path)?.text === mine) unlinkSync(path);
  };
  const onSignal = (signal) => {
    release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    action();
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    release();
  }
}
