/**
 * Reads an export folder into memory.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../accounting/cases.ts';

/** An export of a long run with a large model fits; a folder that somebody named by mistake does not. */
const MAX_BYTES = 4 * 2 ** 30;
const MAX_FILES = 200_000;

/**
 * Every file below `directory` by its path with forward slashes.
 *
 * @throws SottoError `not-found` if it is no folder, `invalid-argument` if it holds links or is far too big to be an export
 */
export async function readExport(directory: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  const walk = async (folder: string, prefix: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await walk(path, `${prefix}${entry.name}/`);
      else if (entry.isFile()) {
        bytes += (await lstat(path)).size;
        if (bytes > MAX_BYTES || files.size >= MAX_FILES) {
          throw new SottoError(
            'invalid-argument',
            `${directory} is far too big to be an export; name the folder that the coordinator wrote`,
          );
        }
        files.set(prefix + entry.name, await readFile(path));
      } else {
        throw new SottoError('invalid-argument', `${path} is a link or a device; an export holds only files`);
      }
    }
  };
  try {
    await walk(directory, '');
  } catch (error) {
    if (error instanceof SottoError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT')
      throw new SottoError('not-found', `${directory} does not exist; name the folder that the coordinator wrote`);
    if (code === 'ENOTDIR')
      throw new SottoError('invalid-argument', `${directory} is a file; name the folder that the coordinator wrote`);
    throw fileError(directory, error);
  }
  return files;
}
