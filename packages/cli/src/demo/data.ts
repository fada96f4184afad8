/**
 * Finds and checks the four data files.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOSPITALS } from './hospitals.ts';

/**
 * The folder with the hospitals' files: the given one, or the repository's.
 *
 * @throws SottoError `not-found` if a file is missing, `integrity` if one is not the published file
 */
export function dataDirectory(given: string | undefined): string {
  const folder =
    given === undefined ? fileURLToPath(new URL('../../../../examples/data/heart-disease', import.meta.url)) : resolve(given);
  for (const { file, sha256 } of HOSPITALS) {
    const path = join(folder, file);
    if (!existsSync(path)) {
      throw new SottoError(
        'not-found',
        `${path} is missing; the demo needs the four files of UCI Heart Disease (doi 10.24432/C52P4X): name their folder with --data`,
      );
    }
    const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
    if (hash !== sha256)
      throw new SottoError('integrity', `${path} is not the published file: its SHA-256 is ${hash}, expected ${sha256}`);
  }
  return folder;
}
