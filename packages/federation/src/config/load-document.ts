/**
 * Reading YAML or JSON files: strict YAML 1.2 core schema, no duplicate keys, no anchors that explode, no custom tags.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { SottoError } from '@sotto/core/errors';
import { parseDocument } from 'yaml';

/** Parses one YAML or JSON text; throws `invalid-config` with line and column. */
export function parseDocumentText(text: string, name: string): unknown {
  const document = parseDocument(text, { schema: 'core', uniqueKeys: true, prettyErrors: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) throw new SottoError('invalid-config', `${name} is not valid YAML: ${firstLine(fault.message)}`);
  try {
    return document.toJS({ maxAliasCount: 16 }) as unknown;
  } catch (cause) {
    throw new SottoError('invalid-config', `${name} is not valid YAML: ${firstLine(SottoError.from(cause).message)}`, { cause });
  }
}

/** Reads and parses a file; throws `not-found` or `invalid-config`. */
export async function loadDocument(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new SottoError('not-found', `${file} cannot be read; check the path and its permissions`, { cause });
  }
  return parseDocumentText(text, file);
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
