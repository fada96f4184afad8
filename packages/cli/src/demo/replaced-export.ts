/**
 * Removes the export of an earlier demo, file by file, as its manifest lists them.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { exportPaths, parseManifest } from '@sotto/governance';
import { existsSync, readdirSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What lies in an export folder: paths with forward slashes, each folder after all that is in it. */
export interface ExportedFiles {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

const refused = (reason: string): SottoError =>
  new SottoError('conflict', `${reason}; nothing was removed: move it or choose another --out`);

function manifestPaths(directory: string, runId: string): ReadonlySet<string> {
  const path = join(directory, exportPaths.manifest);
  if (!existsSync(path)) throw refused(`${directory} is not empty and holds no export of the earlier demo (run ${runId})`);
  let manifest: ReturnType<typeof parseManifest>;
  try {
    manifest = parseManifest(readFileSync(path));
  } catch (cause) {
    throw refused(`${path} cannot be read (${(cause as Error).message})`);
  }
  if (manifest.runId !== runId)
    throw refused(`${directory} holds the export of the run ${manifest.runId}, not of the earlier demo (run ${runId})`);
  return new Set([exportPaths.manifest, ...manifest.hashes.keys()]);
}

/**
 * The files of the export of `runId` in `directory`; none where the folder is missing or empty.
 *
 * @throws SottoError `conflict` if the folder holds another run's export or none, or anything that its manifest does not list
 */
export function exportedFiles(directory: string, runId: string): ExportedFiles {
  const files: string[] = [];
  const folders: string[] = [];
  if (!existsSync(directory)) return { files, folders };
  const listed = readdirSync(directory).length === 0 ? new Set<string>() : manifestPaths(directory, runId);
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(directory, folder), { withFileTypes: true })) {
      const path = `${folder}${entry.name}`;
      if (entry.isDirectory()) {
        walk(`${path}/`);
        folders.push(path);
      } else if (entry.isFile() && listed.has(path)) files.push(path);
      else throw refused(`${join(directory, path)} is not in the manifest of the earlier demo (run ${runId})`);
    }
  };
  walk('');
  return { files, folders };
}

/** Removes these files and folders, and `directory` itself. The manifest goes last, so that a removal that was cut short can be done again. */
export function removeExport(directory: string, { files, folders }: ExportedFiles): void {
  if (!existsSync(directory)) return;
  for (const file of files) if (file !== exportPaths.manifest) unlinkSync(join(directory, file));
  for (const folder of folders) rmdirSync(join(directory, folder));
  if (files.includes(exportPaths.manifest)) unlinkSync(join(directory, exportPaths.manifest));
  rmdirSync(directory);
}
