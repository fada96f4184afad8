/**
 * What members did wrong: a line in the log, and where there is evidence, the signed messages in a file, which a third
 * party can check.
 *
 * @module
 */
import path from 'node:path';
import { toBase64 } from '@sotto/core/bytes';
import type { Incident } from '@sotto/secagg';
import type { CoordinatorConfig } from '../config/coordinator-config.ts';
import { makePrivateDirectory, writeFileAtomic } from '../service/files.ts';
import { errorFields } from '../service/log.ts';
import type { World } from '../service/world.ts';

/** Folder of the evidence within the coordinator's own, and of one incident the file. */
function evidenceFile(directory: string, name: string): string {
  return path.join(directory, 'incidents', `${name}.json`);
}

/**
 * Logs an incident as `round.incident`. One with evidence is written to `incidents/<round>-<attempt>-<kind>-<hash>.json` in
 * the coordinator's folder, each once: `{kind, parties, message, evidence: [base64]}`. Members can make only as many as
 * they have messages in a round.
 */
export function recordIncident(
  { config, world }: { readonly config: CoordinatorConfig; readonly world: World },
  { round, attempt }: { readonly round: number; readonly attempt: number },
  { kind, parties, message, evidence }: Incident,
): void {
  const fields = { round, kind, parties, reason: message };
  if (evidence.length === 0) {
    world.log.warn('round.incident', fields);
    return;
  }
  const text = `${JSON.stringify({ kind, parties, message, evidence: evidence.map(toBase64) }, null, 2)}\n`;
  const digest = Buffer.from(world.crypto.sha256(Buffer.from(text))).toString('hex');
  const file = evidenceFile(config.directory, `${round}-${attempt}-${kind}-${digest.slice(0, 16)}`);
  try {
    makePrivateDirectory(path.dirname(file));
    writeFileAtomic(file, text, 0o600);
  } catch (reason) {
    // The round matters more than the evidence.
    world.log.error('round.evidence-lost', { ...fields, cause: errorFields(reason).reason });
    return;
  }
  world.log.warn('round.incident', { ...fields, evidence: path.basename(file) });
}
