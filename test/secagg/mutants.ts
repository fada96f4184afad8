/**
 * Checks taken out, one at a time: the text of a source file is changed as it is loaded, so that the shipped code carries
 * no switch. Each must make the named attack succeed, or the round that it names fail.
 */
import { consequenceMutants } from './consequence-mutants.ts';
import { messageMutants } from './message-mutants.ts';
import { peerMutants } from './peer-mutants.ts';

export interface Edit {
  /** Path under packages/secagg/src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Name of the attack that must notice. */
  readonly attack: string;
  /** Set where the edit takes no check out: the attack must still be withstood. */
  readonly harmless?: true;
  /** What the attack must say: that it got something, not that a refusal is missing. */
  readonly consequence?: RegExp;
}

const one = (name: string, attack: string, file: string, find: string, replace: string): Mutant => ({
  name,
  attack,
  edits: [{ file, find, replace }],
});

const ADVERTISE = 'client/advertise.ts';
const INPUT = 'client/input.ts';
const CONFIRM = 'client/confirm.ts';
const UNMASK = 'client/unmask.ts';
const MACHINE = 'client/machine.ts';
const OFF = 'if (false)';

export const mutants: readonly Mutant[] = [
  ...messageMutants,
  ...consequenceMutants,
  ...peerMutants,
  {
    name: 'the sparse graph, from 17 members on',
    attack: 'a semi-honest round of many is exact',
    harmless: true,
    edits: [
      { file: 'parameters.ts', find: 'export const COMPLETE_GRAPH_MAX = 512;', replace: 'export const COMPLETE_GRAPH_MAX = 16;' },
    ],
  },
  ...(
    [
      ['blame: both messages are there', 'rosterMessage === undefined || sharesMessage === undefined', 'false'],
      ['blame: the dealer signed its shares', ' || !verifyShares(crypto, signingKeys[dealer]!, sid, shares)', ''],
      ['blame: an answer counts once', 'new Set(opened.map((share) => share.holder)).size !== opened.length', 'false'],
      ['blame: shares of one kind', 'new Set(opened.map((share) => share.kind)).size > 1', 'false'],
      [
        'blame: too many disagree',
        'if (wrong === undefined) throw broken(`too many of the shares of ${blame.dealer} disagree to tell which`);',
        'if (wrong === undefined) return { holders: [], conclusive: false };',
      ],
    ] as const
  ).map(([name, find, replace]) =>
    one(name, 'evidence of a blame that is forged, incomplete, repeated or mixed', 'server/blame.ts', find, replace),
  ),
  one(
    'blame: signatures of answers',
    'one wrong share is corrected and blamed on dealer or holder, never on a holder alone',
    'server/blame.ts',
    'place < 0 || !verifyUnmask(crypto, signingKeys[place]!, sid, answer)',
    'place < 0',
  ),
  {
    name: 'own x at each dealer of the sparse graph',
    attack: 'a semi-honest round of many is exact',
    edits: [
      { file: 'parameters.ts', find: 'export const COMPLETE_GRAPH_MAX = 512;', replace: 'export const COMPLETE_GRAPH_MAX = 16;' },
      {
        file: 'client/input.ts',
        find: 'const x = session.points[session.holders.indexOf(peer)]!;',
        replace: 'const x = session.holders.indexOf(session.self) + 1;',
      },
    ],
  },

  one(
    'session of a message',
    'another model for one client',
    'messages/wire.ts',
    'if (!equalBytes(fixed(reader, HASH_BYTES), session))',
    'if (!fixed(reader, HASH_BYTES))',
  ),
  one(
    'ctx: model',
    'another model for one client',
    'context.ts',
    'writer.bytes(context.modelHash).bytes(context.planHash)',
    'writer.bytes(context.planHash)',
  ),
  one(
    'ctx: plan',
    'another plan, cohort rule, mode, attempt or vectors for one client',
    'context.ts',
    'writer.bytes(context.modelHash).bytes(context.planHash)',
    'writer.bytes(context.modelHash)',
  ),
  one(
    'ctx: attempt',
    'another plan, cohort rule, mode, attempt or vectors for one client',
    'context.ts',
    '.u64(context.round).u32(context.attempt)',
    '.u64(context.round)',
  ),
  one(
    'ctx: round',
    'another plan, cohort rule, mode, attempt or vectors for one client',
    'context.ts',
    '.u64(context.round).u32(context.attempt)',
    '.u32(context.attempt)',
  ),
  one('ctx: mode', 'another plan, cohort rule, mode, attempt or vectors for one client', 'context.ts', '.text(context.mode)', ''),
  one(
    'ctx: floors',
    'another plan, cohort rule, mode, attempt or vectors for one client',
    'context.ts',
    'writer.u32(cohort.cMin).u32(cohort.nMin).u32(cohort.nMax).u32(cohort.hMin);',
    'writer.u32(cohort.nMax);',
  ),
  one(
    'ctx: gamma',
    'another plan, cohort rule, mode, attempt or vectors for one client',
    'context.ts',
    'writer.u32(cohort.gammaNumerator).u32(cohort.gammaDenominator);',
    '',
  ),
  one(
    'ctx: noise',
    'another plan, cohort rule, mode, attempt or vectors for one client',
    'context.ts',
    "writer.text(noise.mechanism).real(noise.localVariance).u32(noise.honestMinimum);\n    if (noise.mechanism !== 'none') writer.text(noise.vector!);",
    '',
  ),
  one(
    'ctx: which vector has the noise',
    'another plan, cohort rule, mode, attempt or vectors for one client',
    'context.ts',
    "if (noise.mechanism !== 'none') writer.text(noise.vector!);",
    '',
  ),
  one(
    'ctx: vectors',
    'another plan, cohort rule, mode, attempt or vectors for one client',
    'context.ts',
    'w.text(vector.name).u32(vector.length).u32(vector.bits)',
    'w.text(vector.name).u32(vector.length)',
  ),
  one(
    'ctx: deadline',
    'another plan, cohort rule, mode, attempt or vectors for one client',
    'context.ts',
    'writer.u64(context.deadlineMs)',
    'writer',
  ),
  one(
    'framed names',
    'a vector name twice, and names whose unframed labels collide',
    'context.ts',
    'w.text(vector.name).u32(vector.length).u32(vector.bits)',
    'w.raw(Uint8Array.from(vector.name, (l) => l.charCodeAt(0)))',
  ),
  one(
    'distinct vector names',
    'a vector name twice, and names whose unframed labels collide',
    'context.ts',
    'if (names.has(vector.name))',
    OFF,
  ),
  one(
    'a second roster',
    'two rosters for one advertisement',
    MACHINE,
    'if (!equalBytes(setup.crypto.sha256(message), digest))',
    OFF,
  ),
  one(
    'own entry there',
    'the roster leaves the client out',
    ADVERTISE,
    "if (entry === undefined) throw new RoundAbort('own-entry', 'the roster leaves this client out');",
    'if (entry === undefined) return 0;',
  ),
  one(
    'own entry unchanged',
    'the own entry is changed',
    ADVERTISE,
    'if (compareBytes(advertLeaf(entry), advertLeaf(state.advert)) !== 0)',
    OFF,
  ),
  one(
    'signature of an advertisement',
    'an entry of another member is swapped without its key (FLOWER: keys are not signed)',
    'roster.ts',
    'if (!verifyAdvert(setup.crypto, certificate.signingKey, ctx, advert))',
    OFF,
  ),
  one(
    'ids strictly ascending',
    'a member is there twice',
    'messages/wire.ts',
    'compareIds(idOf(items[i - 1]!), idOf(items[i]!)) >= 0',
    'compareIds(idOf(items[i - 1]!), idOf(items[i]!)) > 0',
  ),
  one(
    'distinct agreement keys',
    'a key of another member is advertised again',
    'roster.ts',
    'if (new Set(agreement).size !== agreement.length || agreement.some((key) => this.#agreement.has(key)))',
    OFF,
  ),
  one(
    'distinct keys of one member',
    'the own key comes back in the entry of another',
    'roster.ts',
    'new Set(agreement).size !== agreement.length || ',
    '',
  ),
  one('distinct identity keys', 'two members share one identity key', 'roster.ts', 'if (this.#identity.has(identity))', OFF),
  one(
    'low-order and canonical keys',
    'zero, low-order and non-canonical keys',
    'roster.ts',
    'if (!isGoodX25519Key(advert.channelKey) || !isGoodX25519Key(advert.maskKey))',
    OFF,
  ),
  one(
    'low order',
    'zero, low-order and non-canonical keys',
    'keys.ts',
    'return below && !(LOW_ORDER_FIRST_BYTES.has(key[0]!) && LOW_ORDER_KEYS.has(toHex(key)));',
    'return below;',
  ),
  {
    name: 'canonical u',
    attack: 'zero, low-order and non-canonical keys',
    edits: [
      { file: 'keys.ts', find: 'if (key[i]! > P25519[i]!) return false;', replace: '' },
      {
        file: 'keys.ts',
        find: 'return below && !(LOW_ORDER_FIRST_BYTES.has(key[0]!) && LOW_ORDER_KEYS.has(toHex(key)));',
        replace: 'return !LOW_ORDER_KEYS.has(toHex(key));',
      },
    ],
  },
  one(
    'validity of certificates',
    'a certificate that is expired, early, forged, of another role, domain or id',
    'roster.ts',
    '    nowMs,\n',
    '',
  ),
  one(
    'role in certificates',
    'a certificate that is expired, early, forged, of another role, domain or id',
    'roster.ts',
    "    role: 'client',\n",
    '',
  ),
  one(
    'id in certificates',
    'a certificate that is expired, early, forged, of another role, domain or id',
    'roster.ts',
    '    id: advert.id,\n',
    '',
  ),
  one('revocation', 'a revoked member', 'roster.ts', 'revokedSerials: setup.revokedSerials }', '}'),
  {
    name: 'nMin',
    attack: 'a roster below nMin, above nMax or too small for its own floor',
    edits: [
      { file: 'parameters.ts', find: 'if (n < rule.nMin)', replace: OFF },
      { file: 'parameters.ts', find: 'if (parameters.F > n)', replace: OFF },
    ],
  },
  one('F ≤ n', 'a roster below nMin, above nMax or too small for its own floor', 'parameters.ts', 'if (parameters.F > n)', OFF),
  one(
    'site floor: cohort',
    'nMin, hMin, c or t below the floors of the site (FLOWER: no client-side minimum)',
    'policy.ts',
    'if (n < policy.minCohort)',
    OFF,
  ),
  one(
    'site floor: collusion',
    'nMin, hMin, c or t below the floors of the site (FLOWER: no client-side minimum)',
    'policy.ts',
    'if (c < policy.minCollusion)',
    OFF,
  ),
  one(
    'site floor: honest',
    'nMin, hMin, c or t below the floors of the site (FLOWER: no client-side minimum)',
    'policy.ts',
    'if (F - c < policy.minHonest)',
    OFF,
  ),
  one(
    'site floor: threshold',
    'nMin, hMin, c or t below the floors of the site (FLOWER: no client-side minimum)',
    'policy.ts',
    'if (t < policy.minThreshold)',
    OFF,
  ),
  one(
    'site floor: peers',
    'nMin, hMin, c or t below the floors of the site (FLOWER: no client-side minimum)',
    'policy.ts',
    'if (stranger !== undefined)',
    OFF,
  ),
  one(
    'site floor: mode',
    'nMin, hMin, c or t below the floors of the site (FLOWER: no client-side minimum)',
    'policy.ts',
    'if (!policy.modes.includes(context.mode))',
    OFF,
  ),
  one(
    'hMin ≥ 2',
    'nMin, hMin, c or t below the floors of the site (FLOWER: no client-side minimum)',
    'parameters.ts',
    "check.integer('hMin', rule.hMin, 2, rule.nMax);",
    '',
  ),
  one(
    'honest minimum of the noise',
    'noise that relies on more honest members than the roster promises',
    ADVERTISE,
    'if (context.noise.honestMinimum > honestOthers(parameters))',
    OFF,
  ),
  one(
    'an old roster',
    'a roster of another session replayed',
    ADVERTISE,
    'if (compareBytes(advertLeaf(entry), advertLeaf(state.advert)) !== 0)',
    OFF,
  ),

  one(
    'both kinds',
    'both share kinds asked for one peer (FLOWER: listed as active and as dead)',
    MACHINE,
    'if (!equalBytes(setup.crypto.sha256(message), digest))',
    OFF,
  ),
  one(
    'one kind for each dealer',
    'one client opens one kind for each dealer',
    UNMASK,
    "survivors.has(id) ? { dealer: id, kind: 'b', share: b } : { dealer: id, kind: 'r', share: r }",
    "true ? { dealer: id, kind: 'b', share: b } : { dealer: id, kind: 'r', share: r }",
  ),
  one(
    'T confirmations',
    'different U2 shown to different clients',
    UNMASK,
    'if (confirmations.length < session.parameters.T)',
    OFF,
  ),
  one(
    'T confirmations, T − 1',
    'a certificate signed by clients outside U2, by T − 1, by one client twice, or not at all',
    UNMASK,
    'confirmations.length < session.parameters.T',
    'confirmations.length < session.parameters.T - 1',
  ),
  one(
    'confirmations are verified',
    'confirmations of another U2 passed on',
    UNMASK,
    'if (!verifyConfirmation(crypto, session.signingKeys[place]!, statement, signature))',
    OFF,
  ),
  one(
    'confirmations name root(U2)',
    'confirmations of another U2 passed on',
    'messages/confirm.ts',
    '.bytes(statement.rootU2).u32(statement.survivors)',
    '',
  ),
  one(
    'confirmations by survivors only',
    'a certificate signed by clients outside U2, by T − 1, by one client twice, or not at all',
    UNMASK,
    'place === undefined || !members.has(id)',
    'place === undefined',
  ),
  one(
    'confirmation round not skipped',
    'a certificate without the confirmation round',
    MACHINE,
    "if (name === 'confirmations' && state.phase === 'awaiting-confirmations')",
    "if (name === 'confirmations')",
  ),
  {
    name: 'root(U1) in inputs, both sides',
    attack: 'U1 split around one victim of seven',
    edits: [
      {
        file: 'messages/input.ts',
        find: 'w.bytes(sid).bytes(rootU1).bytes(entry.inputHash)',
        replace: 'w.bytes(sid).bytes(entry.inputHash)',
      },
      { file: 'messages/input.ts', find: 'w.bytes(sid).bytes(rootU1).bytes(digest)', replace: 'w.bytes(sid).bytes(digest)' },
    ],
  },
  {
    name: 'different U1, without root(U1) in inputs',
    attack: 'different U1 shown to different clients',
    edits: [
      {
        file: 'messages/input.ts',
        find: 'w.bytes(sid).bytes(rootU1).bytes(entry.inputHash)',
        replace: 'w.bytes(sid).bytes(entry.inputHash)',
      },
      { file: 'messages/input.ts', find: 'w.bytes(sid).bytes(rootU1).bytes(digest)', replace: 'w.bytes(sid).bytes(digest)' },
    ],
  },
  one(
    'U2 within U1',
    'a U2 that keeps only the victim of its U1',
    CONFIRM,
    "if (place === undefined) throw new RoundAbort('survivors-not-subset', `U2 names ${entry.id}, who is not in U1`);",
    'if (place === undefined) continue;',
  ),
  one('U1 ≥ F', 'U1 below F, without the client, or with a stranger', INPUT, 'if (u1.length < F)', OFF),
  one('own id in U1', 'U1 below F, without the client, or with a stranger', INPUT, 'if (!u1.includes(session.self))', OFF),
  one(
    'U1 within the roster',
    'U1 below F, without the client, or with a stranger',
    INPUT,
    "if (place === undefined) throw new RoundAbort('survivors-not-subset', `U1 names ${id}, who is not in the roster`);\n    return place;",
    'return place ?? session.self;',
  ),
  one(
    'U2 ≥ F',
    'U2 below F, without the client, with its entry changed, or with a stranger to U1',
    CONFIRM,
    'if (u2.length < F)',
    OFF,
  ),
  one(
    'own id in U2',
    'U2 below F, without the client, with its entry changed, or with a stranger to U1',
    CONFIRM,
    "if (own === undefined) throw new RoundAbort('own-input', 'U2 leaves this client out');\n  if (!equalBytes(own.inputHash",
    'if (own !== undefined && !equalBytes(own.inputHash',
  ),
  one(
    'signatures of U2',
    'an input of U2 that its member did not sign',
    CONFIRM,
    'if (!verifyInput(setup.crypto, session.signingKeys[place]!, session.sid, state.rootU1, entry))',
    OFF,
  ),
  {
    name: 'directional keys and bound ids',
    attack: 'a reflected box: the own ciphertext as if it came from a peer',
    edits: [
      {
        file: 'keys.ts',
        find: "'chan', (w) => w.text(from).text(to)",
        replace: "'chan', (w) => w.text(from < to ? from : to).text(from < to ? to : from)",
      },
      { file: 'messages/share.ts', find: '.text(from)\n      .text(to)\n      .u32(x)', replace: '' },
    ],
  },
  {
    name: 'pairwise channel keys and bound ids',
    attack: 'cross-wired boxes',
    edits: [
      {
        file: 'keys.ts',
        find: "const key = kdf(crypto, input, sid, 'chan', (w) => w.text(from).text(to));",
        replace: "const key = kdf(crypto, sid, sid, 'chan');",
      },
      { file: 'messages/share.ts', find: '.text(from)\n      .text(to)\n', replace: '' },
    ],
  },
  one(
    't − 1 boxes open',
    'one bad box is a missing share, named, and the round goes on',
    INPUT,
    'if (held.length < session.threshold)',
    OFF,
  ),
  one(
    'the answered record',
    'a repeated unmask after a restart',
    UNMASK,
    "effects: [{ type: 'record', record: 'answered', key: answeredKey(session.sid) }]",
    'effects: []',
  ),
  one(
    'the contributed record',
    'a second attempt of a round after y, with and without one client (differencing)',
    INPUT,
    "effects: [{ type: 'record', record: 'contributed', key: contributedKey(context) }]",
    'effects: []',
  ),
  one(
    'one y whatever the attempt',
    'a second attempt of a round after y, with and without one client (differencing)',
    INPUT,
    'key: contributedKey(context)',
    'key: `${contributedKey(context)} ${context.attempt}`',
  ),
  one(
    'one y for all processes',
    'another process of the same identity in the same round',
    INPUT,
    'key: contributedKey(context)',
    "key: `${contributedKey(context)} ${session.sid.join(' ')}`",
  ),
  one(
    'resend of y',
    'a resend of y is byte-identical: no noise and no mask is drawn again',
    MACHINE,
    'outgoing: resend ? [state.sent] : []',
    'outgoing: []',
  ),
  one(
    'fresh sid',
    'messages of an old session replayed',
    'messages/wire.ts',
    'if (!equalBytes(fixed(reader, HASH_BYTES), session))',
    'if (!fixed(reader, HASH_BYTES))',
  ),
  one('a second U1', 'a second U1 or U2 after the first', MACHINE, 'if (!equalBytes(setup.crypto.sha256(message), digest))', OFF),
  one(
    'order of messages',
    'a later message early',
    MACHINE,
    "throw new RoundAbort('unexpected-message', `${name} came in phase ${state.phase}`);",
    'return still(state);',
  ),
  one(
    'self mask',
    'a late y after its r was opened stays hidden behind b',
    INPUT,
    'const streams = [maskStream(crypto, self, context.vectors, 1)];',
    'const streams: ReturnType<typeof maskStream>[] = [];',
  ),
  one(
    'pair masks',
    'the coordinator never holds an unmasked update',
    INPUT,
    'for (const pair of state.pairs) streams.push',
    'for (const pair of state.pairs.slice(0, 0)) streams.push',
  ),
  one(
    'any mask',
    'the coordinator never holds an unmasked update',
    'masks.ts',
    'addPacked(part, bytes, vector.bits, stream.sign);',
    '',
  ),
  one(
    'mask without zeros',
    'the coordinator never holds an unmasked update',
    'masks.ts',
    'crypto.aes256CtrKeystream(stream.keys[v]!, (start * vector.bits) / 8, bytes);',
    '',
  ),
  one(
    'server: id of an advertisement',
    'an advertisement of another, unsigned, twice different, or with a used key is refused',
    'server/advertise.ts',
    'if (advert.id !== from)',
    OFF,
  ),
  one(
    'server: signature of an advertisement',
    'an advertisement of another, unsigned, twice different, or with a used key is refused',
    'roster.ts',
    'if (!verifyAdvert(setup.crypto, certificate.signingKey, ctx, advert))',
    OFF,
  ),
  one(
    'server: distinct keys',
    'an advertisement of another, unsigned, twice different, or with a used key is refused',
    'server/advertise.ts',
    'state.keys.add(advert, signingKey);',
    '',
  ),
  one(
    'server: one box for each holder',
    'boxes that are missing, for strangers, or not signed are refused',
    'server/share.ts',
    'if (shares.boxes.length !== holders.length || shares.boxes.some((box, i) => box.peer !== holders[i]))',
    OFF,
  ),
  one(
    'server: signature of shares',
    'boxes that are missing, for strangers, or not signed are refused',
    'server/share.ts',
    'if (!verifyShares(crypto, session.signingKeys[place]!, session.sid, shares))',
    OFF,
  ),
  one(
    'server: size of y',
    'a y of the wrong size, with spare bits, or with another signature is no y',
    'messages/wire.ts',
    'if (value.length !== length)',
    OFF,
  ),
  one(
    'server: spare bits',
    'a y of the wrong size, with spare bits, or with another signature is no y',
    'messages/input.ts',
    'if (used !== 0 && packed[packed.length - 1]! >>> used !== 0)',
    OFF,
  ),
  one(
    'server: signature of y',
    'a y of the wrong size, with spare bits, or with another signature is no y',
    'server/input.ts',
    'if (!verifyInput(crypto, session.signingKeys[place]!, session.sid, state.rootU1, entry))',
    OFF,
  ),
  one(
    'server: end of y',
    'a truncated y is no y',
    'messages/input.ts',
    'const packed = vectors.map((vector) => fixedView(reader, packedBytes(vector)));\n  reader.end();',
    'const packed = vectors.map((vector) => reader.raw(Math.min(reader.left, 4 + packedBytes(vector))));',
  ),
  one(
    'server: correction of wrong shares',
    'one wrong share is corrected and blamed on dealer or holder, never on a holder alone',
    'server/recovery.ts',
    'const right = wrong === undefined ? [] :',
    'const right = true ? [] :',
  ),
  one(
    'server: b opens its commitment',
    'more wrong shares than can be told end the round with a name',
    'server/recovery.ts',
    "if (kind === 'b') return equalBytes(commitment(crypto, this.#state.ctx, advert.id, secret), advert.commitment);",
    "if (kind === 'b') return true;",
  ),
  one(
    'server: r gives its mask key',
    'a wrong share of a lost member ends the round with a name',
    'server/recovery.ts',
    'const sameKey = equalBytes(crypto.x25519PublicKey(mask), advert.maskKey);',
    'const sameKey = true;',
  ),
  one(
    'server: the dealer is named with the holder',
    'a bad share dealt to one honest holder does not name the holder alone',
    'server/recovery.ts',
    'parties: [dealer, ...holders]',
    'parties: holders',
  ),
  one(
    'server: kind of a share',
    'an answer of the wrong kind, unsigned, or for a stranger is refused',
    'server/unmask.ts',
    'if (!holds || kind !== due)',
    'if (!holds)',
  ),
  one(
    'server: signature of an answer',
    'an answer of the wrong kind, unsigned, or for a stranger is refused',
    'server/unmask.ts',
    'if (!verifyUnmask(crypto, session.signingKeys[place]!, session.sid, answer))',
    OFF,
  ),
  one(
    'server: length of a share',
    'shares of the wrong length are refused',
    'messages/unmask.ts',
    'share: fixed(reader, SHARE_BYTES)',
    'share: reader.bytes()',
  ),
  one(
    'hybrid: confirmation of the pair key',
    'a bad KEM ciphertext: the peer complains, signed, and leaves before its input',
    INPUT,
    'if (opened.length > 64 && !equalBytes(opened.subarray(64), pairConfirmation(crypto, key)))',
    OFF,
  ),
  one(
    'roster: a size without a degree is named',
    'a sparse roster of a size for which there is no degree',
    'abort.ts',
    "  unsupported: 'roster-size',",
    '',
  ),
  one(
    'limits of vectors beside the noised one',
    'weights beside a noised vector may not wrap',
    'client/state.ts',
    "mechanism !== 'none' && vector.name === noisy",
    "mechanism !== 'none'",
  ),
  one(
    'server: late shares are answered',
    'shares that come after U1 was frozen are answered with it, and their sender leaves',
    'server/share.ts',
    'own.get(id) ?? (session.places.has(id) ? none : undefined)',
    'own.get(id)',
  ),
  one(
    'hybrid: the encapsulation key is that of r',
    'hybrid: a lost member whose encapsulation key is not the one of its r',
    'server/recovery.ts',
    'return sameKemKey;',
    'return true;',
  ),
  one(
    'hybrid: no confirmation, no sum',
    'hybrid: a box of a lower id that does not open holds no confirmation, so the peer complains',
    INPUT,
    'if (kemSeed !== undefined && peer < session.self) complaint',
    'if (false) complaint',
  ),
  one(
    'server: an input complained about is in the sum',
    'a bad KEM ciphertext: the peer complains, signed, and leaves before its input',
    'server/input.ts',
    'if (spoilt.length > 0)',
    OFF,
  ),
  one(
    'server: who is complained about leaves',
    'a complaint that comes before the input of whom it is about: both are left out, and the sum is exact',
    'server/input.ts',
    'state.left.add(complaint.about);',
    '',
  ),
  one(
    'blame: t + c agree',
    'colluding holders who make an honest one stand out: the evidence is not conclusive',
    'server/blame.ts',
    'return threshold + colluding;',
    'return threshold;',
  ),
  one(
    'hybrid: ciphertext of the coins',
    'a bad KEM ciphertext of a lost member is not the one of its r',
    'server/recovery.ts',
    'made === undefined || !equalBytes(made.ciphertext, ciphertext)',
    'made === undefined',
  ),
  one(
    'server: freeze',
    'what comes late is answered with the frozen set and changes nothing',
    'server/machine.ts',
    'if (stage !== state.stage) return otherStage',
    'if (stage !== state.stage && known !== undefined) return otherStage',
  ),
  one(
    'server: repetition',
    'a repeated input is added once',
    'server/machine.ts',
    'if (known !== undefined) {',
    'if (known === digest) {',
  ),
  one('input limit', 'elements above the limit are refused before anything is masked', INPUT, 'if (above > 0)', OFF),
];
