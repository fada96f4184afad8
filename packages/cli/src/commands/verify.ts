/**
 * `sotto verify`.
 *
 * @module
 */
import { toJson } from '../accounting/cases.ts';
import type { Command } from '../command.ts';
import { verifyDirectory } from '../verification/verify-directory.ts';

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'check an exported run: every hash, proof, signature and ε, offline',
  usage: ['verify DIR [--trust FILE|FINGERPRINT] [--json]'],
  description: [
    'Recomputes what an export folder claims: the SHA-256 of every file, every Merkle root and proof, every signature up to the authority, that each reservation was recorded before its contribution, and every ε from the logged events. It needs no network and trusts nobody but the authority whose fingerprint you compare. Change any byte of any file and it fails, naming the file, and the entry where it is a leaf of a ledger.',
  ],
  options: {
    trust: {
      type: 'string',
      short: 't',
      value: 'FILE|FINGERPRINT',
      describe:
        "The authority's trust file, or the 64 hexadecimal digits of its fingerprint. Without it the folder is checked against itself, and the fingerprint to compare is printed.",
    },
    json: { type: 'boolean', describe: 'The finding as one JSON object.' },
  },
  positionals: [1, 1],
  examples: [
    ['sotto verify sotto-demo', 'check a run; compare the fingerprint that it prints with the one of the authority'],
    ['sotto verify sotto-demo --trust trust.json', "check it against the authority's own trust file"],
  ],
  async run({ terminal, positionals, text, flag }) {
    const directory = positionals[0]!;
    const { ok, line, faults, fingerprint, trusted, summary } = await verifyDirectory(directory, text('trust'));
    if (flag('json')) {
      terminal.out(`${toJson({ ok, finding: line, faults, fingerprint, trusted, ...summary })}\n`);
      return ok ? 0 : 1;
    }
    const [verdict = '', ...rest] = line.split(':');
    terminal.out(`${terminal.style(ok ? 'green' : 'red', verdict)}:${rest.join(':')}\n`);
    for (const fault of faults.slice(1)) terminal.out(`  ${fault}\n`);
    return ok ? 0 : 1;
  },
};
