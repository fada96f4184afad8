/**
 * The export of a finished run: a folder that appears as a whole, once. It is written beside its place and renamed, so
 * that a crash leaves either nothing or everything.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { fromBase64 } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { type ExportedLedger, exportPaths, exportRun, parseManifest } from '@sotto/governance';
import { accountant } from '../accounting.ts';
import { writeFileAtomic } from '../service/files.ts';
import type { RunParts } from './run.ts';

/** Refuses a folder that holds something else than this run's export; returns whether that is there. */
export function checkExportDirectory(directory: string, runId: string): boolean {
  if (!existsSync(directory) || readdirSync(directory).length === 0) return false;
  const manifest = path.join(directory, exportPaths.manifest);
  if (existsSync(manifest) && parseManifest(readFileSync(manifest)).runId === runId) return true;
  throw new SottoError(
    'conflict',
    `${directory} is not empty and holds no export of the run ${runId}; choose another exportDirectory`,
  );
}

/** Writes the export; returns false where it is there already. */
export function writeExport(parts: RunParts, weights: Float32Array): boolean {
  const { config, prepared, party, store, world } = parts;
  const { plan, model } = prepared;
  const target = config.exportDirectory;
  if (checkExportDirectory(target, plan.runId)) return false;
  const { ledger } = store.ledger;
  const ledgers = new Map<string, ExportedLedger>([
    [config.id, { leaves: ledger.log.entries(), checkpoint: store.ledger.checkpoint() }],
  ]);
  const certificates = new Map([[config.id, party.certificate]]);
  for (const { id } of plan.parties) {
    const mirror = store.mirror(id);
    const enrolled = ledger.state.parties.get(id);
    if (mirror !== undefined) ledgers.set(id, mirror);
    if (enrolled !== undefined) certificates.set(id, fromBase64(enrolled.entry.certificate));
  }
  const files = exportRun({
    crypto: world.crypto,
    accountant,
    runId: plan.runId,
    bundle: party.trust,
    certificates,
    ledgers,
    coordinator: config.id,
    ledgerSeed: party.ledgerSeed,
    model: { topology: plan.model, weights: model.weights.map(({ name, shape }) => ({ name, shape })), values: weights },
  });
  const scratch = `${target}.partial`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  for (const [name, bytes] of files) writeFileAtomic(path.join(scratch, name), bytes);
  if (existsSync(target)) rmdirSync(target);
  renameSync(scratch, target);
  return true;
}
