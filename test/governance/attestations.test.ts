import { describe, expect, test } from 'vitest';
import { fromUtf8, toHex, utf8 } from '@sotto/core/bytes';
import { nobleCrypto } from '@sotto/core/crypto-noble';
import {
  decodeLogProof,
  encodeLogProof,
  encodePrivacyStatement,
  encodeReport,
  evidenceToLogProof,
  exportRun,
  logOrigin,
  privacyStatementType,
  type PublishEntry,
  renderModelCard,
  TransparencyLog,
  verifyLogProof,
  verifyRun,
} from '@sotto/governance';
import { crypto, seedOf, SyntheticRun, trustDomain, zcdpAccountant } from './synthetic-run.ts';

const run = new SyntheticRun().start().play();
const files = exportRun(run.exportInput());
const report = verifyRun(files, { crypto, accountant: zcdpAccountant }).report!;

describe('proof files', () => {
  const seed = seedOf('alpha ledger');
  const key = { origin: logOrigin(trustDomain, 'alpha'), publicKey: nobleCrypto.ed25519PublicKey(seed) };
  const { log } = run.client('alpha');
  const proofOf = (index: number, size: number, extra?: Uint8Array): Uint8Array =>
    encodeLogProof({
      index,
      proof: log.inclusionProof(index, size),
      checkpoint: log.checkpoint(nobleCrypto, seed, size),
      ...(extra === undefined ? {} : { extra }),
    });

  test('have the form of the specification', () => {
    const lines = fromUtf8(proofOf(2, 5, utf8('more'))).split('\n');
    expect(lines.slice(0, 3)).toEqual(['c2sp.org/tlog-proof@v1', 'extra bW9yZQ==', 'index 2']);
    expect(lines.slice(3, 6).every((line) => line.length === 44)).toBe(true);
    expect(lines.slice(6, 9)).toEqual(['', key.origin, '5']);
  });

  test('round-trip and verify, for every entry of every size', () => {
    for (let size = 1; size <= log.size; size++) {
      for (let index = 0; index < size; index++) {
        const file = proofOf(index, size);
        expect(encodeLogProof(decodeLogProof(file))).toEqual(file);
        if (size === log.size) expect(verifyLogProof(nobleCrypto, file, log.entry(index), key)).toEqual(log.state());
      }
    }
    const single = new TransparencyLog(nobleCrypto, key.origin, [utf8('x')]);
    const file = encodeLogProof({ index: 0, proof: [], checkpoint: single.checkpoint(nobleCrypto, seed) });
    expect(verifyLogProof(nobleCrypto, file, utf8('x'), key).size).toBe(1);
  });

  test('any changed byte, and any other entry or log, is refused', () => {
    const file = proofOf(3, 9);
    expect(() => verifyLogProof(nobleCrypto, file, log.entry(4), key)).toThrow(/not at index 3/);
    expect(() => verifyLogProof(nobleCrypto, file, log.entry(3), { ...key, origin: 'a/b' })).toThrow(/not signed/);
    for (let i = 0; i < file.length; i++) {
      const changed = file.slice();
      changed[i]! ^= 1;
      expect(() => verifyLogProof(crypto, changed, log.entry(3), key), `byte ${i}`).toThrow();
    }
  });

  test.each([
    ['no checkpoint', 'c2sp.org/tlog-proof@v1\nindex 0\n'],
    ['another version', 'c2sp.org/tlog-proof@v2\nindex 0\n\nx'],
    ['no index', 'c2sp.org/tlog-proof@v1\n\nx'],
    ['a leading zero', 'c2sp.org/tlog-proof@v1\nindex 01\n\nx'],
    ['an index beyond 2^53', 'c2sp.org/tlog-proof@v1\nindex 9007199254740992\n\nx'],
    ['a short hash', 'c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx'],
    ['65 hashes', `c2sp.org/tlog-proof@v1\nindex 0\n${`${'A'.repeat(43)}=\n`.repeat(65)}\nx`],
  ])('malformed: %s', (_, text) => {
    expect(() => decodeLogProof(utf8(text))).toThrow(expect.objectContaining({ code: 'invalid-encoding' }));
  });

  test('carry the evidence of a published round', () => {
    const publish = run.coordinator.entry(6) as PublishEntry;
    for (const { party, evidence } of publish.survivors) {
      const file = evidenceToLogProof(evidence);
      const owner = { origin: logOrigin(trustDomain, party), publicKey: nobleCrypto.ed25519PublicKey(seedOf(`${party} ledger`)) };
      const { extra } = decodeLogProof(file);
      expect(extra).toEqual(run.client(party).log.entry(evidence.index));
      expect(verifyLogProof(nobleCrypto, file, extra!, owner).origin).toBe(owner.origin);
    }
  });
});

describe('model card', () => {
  const card = fromUtf8(renderModelCard(report, { license: 'apache-2.0', task: 'tabular-classification' }));

  test('states the figures of the report, and escapes what a ledger may hold', () => {
    expect(card.startsWith('---\nlicense: "apache-2.0"\n')).toBe(true);
    expect(card).toContain('value: 0.76\n');
    for (const { party, spent } of report.parties) {
      expect(card).toMatch(
        new RegExp(`\\| ${party} \\|.*\\| ${Number(spent.epsilon).toFixed(6)} \\| 1\\.5 \\| 10⁻³ \\| record \\|`),
      );
    }
    expect(card).toContain(report.model.finalHash);
    for (const { root } of report.ledgers) expect(card).toContain(root);
    expect(card).not.toMatch(/undefined|NaN|complian/i);
    const evil = { ...report, model: { ...report.model, name: 'a"\n---\n# <b>|`x`' } };
    const attacked = fromUtf8(renderModelCard(evil, { license: 'x', task: 'y' }));
    expect(attacked).toContain('- name: "a\\"\\n---\\n# <b>|`x`"');
    expect(attacked).toContain('\\<b\\>\\|\\`x\\`');
  });

  test('has no result where nothing was measured', () => {
    const { accuracy: _, ...unmeasured } = report;
    const text = fromUtf8(renderModelCard(unmeasured, { license: 'x', task: 'y' }));
    expect(text).not.toContain('model-index');
    expect(text).toContain('No held-out records were measured.');
  });
});

describe('privacy statement', () => {
  test('is about the exported weights and the exported report', () => {
    const statement = JSON.parse(fromUtf8(encodePrivacyStatement(crypto, report))) as {
      _type: string;
      predicateType: string;
      subject: { name: string; digest: { sha256: string } }[];
      predicate: { report: { name: string; digest: { sha256: string } }; guarantees: { party: string }[] };
    };
    expect(statement._type).toBe('https://in-toto.io/Statement/v1');
    expect(statement.predicateType).toBe(privacyStatementType);
    for (const { name, digest } of [...statement.subject, statement.predicate.report]) {
      expect(toHex(nobleCrypto.sha256(files.get(name)!))).toBe(digest.sha256);
    }
    expect(encodeReport(report)).toEqual(files.get('report.json'));
    expect(statement.predicate.guarantees.map(({ party }) => party)).toEqual(['alpha', 'beta', 'delta', 'gamma']);
  });
});
