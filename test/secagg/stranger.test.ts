/**
 * A reader of `docs/secagg-wire.md` and of nothing else: decodes every message of the recorded rounds, verifies every
 * signature, opens every box, recovers the lost secrets from the opened shares and takes the sum out of the masked inputs,
 * with `node:crypto`, the arithmetic written here and, for the hybrid suite, the ML-KEM of a library. It imports nothing of
 * Sotto.
 */
import assert from 'node:assert/strict';
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  verify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { describe, expect, it } from 'vitest';

interface Recorded {
  readonly context: Readonly<Record<string, unknown>> & {
    readonly suite: string;
    readonly mode: string;
    readonly runId: string;
    readonly round: number;
    readonly attempt: number;
    readonly modelHash: string;
    readonly planHash: string;
    readonly vectors: readonly { readonly name: string; readonly length: number; readonly bits: number }[];
    readonly quantiser: { readonly clip: number; readonly scale: number; readonly bits: number };
    readonly noise: { readonly mechanism: string; readonly localVariance: number; readonly honestMinimum: number };
    readonly cohort: Readonly<Record<'gammaNumerator' | 'gammaDenominator' | 'cMin' | 'nMin' | 'nMax' | 'hMin', number>>;
    readonly graph: { readonly kind: string };
    readonly deadlineMs: number;
    readonly coordinatorKey: string;
  };
  readonly authorityKey: string;
  readonly ctx: string;
  readonly sid: string;
  readonly members: readonly (Readonly<Record<'id' | 'r' | 'channelSecret', string>> & { readonly channelKemSeed?: string })[];
  readonly messages: readonly { readonly from: string; readonly to: string; readonly name: string; readonly hex: string }[];
  readonly survivors: readonly string[];
  readonly sums: readonly (readonly number[])[];
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const integer = (value: number, bytes: number): Buffer => Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex');
const u32 = (value: number): Buffer => integer(value, 4);
const u64 = (value: number): Buffer => integer(value, 8);
const framed = (value: Buffer | string): Buffer => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
const real = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
};
const list = (items: readonly Buffer[]): Buffer => Buffer.concat([u32(items.length), ...items]);
const labelled = (label: string, fields: readonly Buffer[]): Buffer =>
  Buffer.concat([framed(`sotto-secagg/1 ${label}`), ...fields]);
const sha256 = (...parts: readonly Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const H = (label: string, ...fields: readonly Buffer[]): Buffer => sha256(labelled(label, fields));
const expand = (key: Buffer, label: string, ...fields: readonly Buffer[]): Buffer =>
  createHmac('sha256', key).update(labelled(label, fields)).update(Buffer.of(1)).digest();
const expand64 = (key: Buffer, label: string): Buffer => {
  const first = expand(key, label);
  const second = createHmac('sha256', key).update(first).update(labelled(label, [])).update(Buffer.of(2)).digest();
  return Buffer.concat([first, second]);
};
/** The decapsulated secret of a ciphertext, with the key of a seed d ‖ z. */
const decapsulate = (seed: Buffer, ciphertext: Buffer): Buffer =>
  Buffer.from(ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(seed).secretKey));
const kdf = (key: Buffer, sid: Buffer, label: string, ...fields: readonly Buffer[]): Buffer =>
  Buffer.from(hkdfSync('sha256', key, sid, labelled(label, fields), 32));
const root = (leaves: readonly Buffer[]): Buffer => {
  if (leaves.length === 1) return sha256(Buffer.of(0), leaves[0]!);
  const left = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return sha256(Buffer.of(1), root(leaves.slice(0, left)), root(leaves.slice(left)));
};
const signed = (key: Buffer, signature: Buffer, label: string, ...fields: readonly Buffer[]): boolean => {
  const spki = Buffer.concat([hex('302a300506032b6570032100'), key]);
  return verify(null, labelled(`sig ${label}`, fields), createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
};
const agree = (secret: Buffer, other: Buffer): Buffer => {
  const mine = Buffer.concat([hex('302e020100300506032b656e04220420'), secret]);
  const theirs = Buffer.concat([hex('302a300506032b656e032100'), other]);
  return diffieHellman({
    privateKey: createPrivateKey({ key: mine, format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: theirs, format: 'der', type: 'spki' }),
  });
};

/** Reads one message; what a field is called stands in the document. */
class Reader {
  #at = 0;
  readonly #data: Buffer;
  constructor(data: Buffer) {
    this.#data = data;
  }
  raw(length: number): Buffer {
    const part = this.#data.subarray(this.#at, (this.#at += length));
    if (part.length !== length) throw new Error('it ends too early');
    return part;
  }
  u8 = (): number => this.raw(1)[0]!;
  u32 = (): number => this.raw(4).readUInt32BE();
  bytes = (): Buffer => this.raw(this.u32());
  text = (): string => this.bytes().toString('utf8');
  list = <T>(item: () => T): T[] => Array.from({ length: this.u32() }, item);
  header(type: number, session: Buffer): this {
    assert.equal(this.u8(), 1);
    assert.equal(this.u8(), type);
    assert.deepEqual(this.bytes(), session);
    return this;
  }
  end(): void {
    assert.equal(this.#at, this.#data.length);
  }
}

/** Multiplication in GF(2^8) with 0x11b, by the definition. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ (product & 0x80 ? 0x11b : 0);
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}
const inverse = (a: number): number => Array.from({ length: 255 }, (_, i) => i + 1).find((b) => times(a, b) === 1)!;
function recover(shares: readonly { readonly x: number; readonly share: Buffer }[]): Buffer {
  const secret = Buffer.alloc(32);
  for (const { x, share } of shares) {
    let factor = 1;
    for (const other of shares) if (other.x !== x) factor = times(factor, times(other.x, inverse(x ^ other.x)));
    for (let i = 0; i < 32; i++) secret[i]! ^= times(factor, share[i]!);
  }
  return secret;
}
function elements(bytes: Buffer, bits: number, length: number): bigint[] {
  const all = BigInt(`0x0${Buffer.from(bytes).reverse().toString('hex')}`);
  return Array.from({ length }, (_, e) => (all >> BigInt(e * bits)) & ((1n << BigInt(bits)) - 1n));
}

describe.each(['honest-round.json', 'two-drop-outs.json', 'hybrid-round.json'])('a stranger reads %s', (file) => {
  const recorded = JSON.parse(readFileSync(new URL(`vectors/${file}`, import.meta.url), 'utf8')) as Recorded;
  const { context } = recorded;
  const hybrid = context.suite === 'x25519-mlkem768';
  const sid = hex(recorded.sid);
  const all = (name: string): { readonly from: string; readonly to: string; readonly data: Buffer }[] =>
    recorded.messages
      .filter((message) => message.name === name)
      .map(({ from, to, hex: text }) => ({ from, to, data: hex(text) }));
  const one = (name: string): Buffer => all(name)[0]!.data;

  const { quantiser, noise, cohort } = context;
  const ctx = H(
    'ctx',
    ...[framed(context.suite), framed(context.mode), framed(context.runId), u64(context.round), u32(context.attempt)],
    ...[framed(hex(context.modelHash)), framed(hex(context.planHash))],
    list(context.vectors.map(({ name, length, bits }) => Buffer.concat([framed(name), u32(length), u32(bits)]))),
    ...[real(quantiser.clip), real(quantiser.scale), u32(quantiser.bits)],
    ...[framed(noise.mechanism), real(noise.localVariance), u32(noise.honestMinimum)],
    ...[cohort.gammaNumerator, cohort.gammaDenominator, cohort.cMin, cohort.nMin, cohort.nMax, cohort.hMin].map(u32),
    ...[framed(context.graph.kind), u64(context.deadlineMs), framed(hex(context.coordinatorKey))],
  );
  const readAdvert = (data: Buffer) => {
    const reader = new Reader(data);
    const advert = {
      id: reader.text(),
      certificate: reader.bytes(),
      channelKey: reader.bytes(),
      maskKey: reader.bytes(),
      kemKeys: reader.list(() => reader.bytes()),
      commitment: reader.bytes(),
      signature: reader.bytes(),
    };
    reader.end();
    const certificate = new Reader(advert.certificate);
    expect(certificate.text()).toBe('sotto identity certificate/1');
    certificate.text(); // trust domain
    expect(certificate.text()).toBe(advert.id);
    expect(certificate.u8()).toBe(2);
    return { ...advert, signingKey: certificate.raw(32), body: data.subarray(0, data.length - 68) };
  };
  const leaves = ((): Buffer[] => {
    const reader = new Reader(one('roster')).header(2, ctx);
    const items = reader.list(() => reader.bytes());
    reader.end();
    return items;
  })();
  const roster = leaves.map(readAdvert);
  const ids = roster.map((advert) => advert.id);
  const keyOf = (id: string): Buffer => roster[ids.indexOf(id)]!.signingKey;
  const n = roster.length;
  const c = Math.floor((n - 1) / 3);
  const t = Math.floor((n + c) / 2) + 1;

  it('computes the context, the session and the roster', () => {
    expect(ctx.toString('hex')).toBe(recorded.ctx);
    expect(H('sid', framed(ctx), u32(n), framed(root(leaves))).toString('hex')).toBe(recorded.sid);
    for (const { from, data } of all('advert')) {
      const reader = new Reader(data).header(1, ctx);
      expect(data.subarray(38)).toEqual(leaves[ids.indexOf(from)]);
      expect(reader.text()).toBe(from);
    }
    for (const advert of roster) {
      expect(signed(advert.signingKey, advert.signature, 'advert', framed(ctx), advert.body)).toBe(true);
      const body = advert.certificate.subarray(0, -64);
      const authority = Buffer.concat([hex('302a300506032b6570032100'), hex(recorded.authorityKey)]);
      const key = createPublicKey({ key: authority, format: 'der', type: 'spki' });
      expect(verify(null, body, key, advert.certificate.subarray(-64))).toBe(true);
    }
  });

  const readBoxes = (reader: Reader) =>
    reader.list(() => ({ peer: reader.text(), ciphertexts: reader.list(() => reader.bytes()), sealed: reader.bytes() }));
  interface Box {
    readonly r: Buffer;
    readonly b: Buffer;
    readonly confirmation: Buffer;
    readonly ciphertexts: readonly Buffer[];
  }
  const opened = new Map<string, Box>();
  const openBox = (from: string, to: string, ciphertexts: readonly Buffer[], sealed: Buffer): void => {
    const own = recorded.members.find((member) => member.id === to)!;
    const lower = ids.indexOf(from) < ids.indexOf(to);
    expect(ciphertexts.length).toBe(!hybrid ? 0 : lower ? 2 : 1);
    const agreed = agree(hex(own.channelSecret), roster[ids.indexOf(from)]!.channelKey);
    const secret = hybrid ? decapsulate(hex(own.channelKemSeed!), ciphertexts[0]!) : Buffer.alloc(0);
    const key = kdf(Buffer.concat([agreed, secret]), sid, 'chan', framed(from), framed(to));
    const cipher = createDecipheriv('aes-256-gcm', key, Buffer.alloc(12));
    const associated = [framed(sid), framed(from), framed(to), u32(ids.indexOf(to) + 1), list(ciphertexts.map(framed))];
    cipher.setAAD(labelled('share', associated));
    cipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
    expect(plain.length).toBe(hybrid && lower ? 96 : 64);
    const [r, b, confirmation] = [plain.subarray(0, 32), plain.subarray(32, 64), plain.subarray(64)];
    opened.set(`${from} ${to}`, { r, b, confirmation, ciphertexts });
  };
  /** The pair key of a member whose r is known with another one. */
  const pairKey = (id: string, r: Buffer, peer: string): Buffer => {
    const agreed = agree(expand(r, 'mask x25519'), roster[ids.indexOf(peer)]!.maskKey);
    const [low, high] = ids.indexOf(id) < ids.indexOf(peer) ? [id, peer] : [peer, id];
    if (!hybrid) return kdf(agreed, sid, 'pair', framed(low), framed(high));
    const ciphertext = opened.get(`${low} ${high}`)!.ciphertexts[1]!;
    let secret: Buffer;
    if (id === low) {
      const coins = expand(r, 'mask coins', framed(sid), framed(peer));
      const made = ml_kem768.encapsulate(roster[ids.indexOf(peer)]!.kemKeys[1]!, coins);
      expect(Buffer.from(made.cipherText)).toEqual(ciphertext);
      secret = Buffer.from(made.sharedSecret);
    } else {
      secret = decapsulate(expand64(r, 'mask mlkem'), ciphertext);
    }
    const digest = H('mask ciphertext', framed(ciphertext));
    return kdf(Buffer.concat([agreed, secret]), sid, 'pair', framed(low), framed(high), framed(digest));
  };

  it('opens every box, and passes on what the coordinator passes on', () => {
    for (const { from, data } of all('shares')) {
      const reader = new Reader(data).header(3, sid);
      expect(reader.text()).toBe(from);
      const boxes = readBoxes(reader);
      const signature = reader.bytes();
      reader.end();
      const items = boxes.map(({ peer, ciphertexts, sealed }) =>
        Buffer.concat([framed(peer), list(ciphertexts.map(framed)), framed(sealed)]),
      );
      expect(signed(keyOf(from), signature, 'share', framed(sid), framed(H('share', framed(from), list(items))))).toBe(true);
      for (const { peer, ciphertexts, sealed } of boxes) openBox(from, peer, ciphertexts, sealed);
    }
    expect(opened.size).toBe(n * (n - 1));
    for (const { data } of all('delivery')) {
      const reader = new Reader(data).header(4, sid);
      expect(reader.list(() => reader.text())).toEqual(ids);
      expect(readBoxes(reader).length).toBe(n - 1);
      reader.end();
    }
  });

  it('derives one mask key at both ends of every pair, and the confirmation of the lower one', () => {
    for (const [place, { id, kemKeys }] of roster.entries()) {
      const r = hex(recorded.members[place]!.r);
      const seeds = hybrid ? [hex(recorded.members[place]!.channelKemSeed!), expand64(r, 'mask mlkem')] : [];
      expect(kemKeys).toEqual(seeds.map((seed) => Buffer.from(ml_kem768.keygen(seed).publicKey)));
      for (const [k, peer] of ids.entries()) {
        if (k <= place) continue;
        const key = pairKey(id, r, peer);
        expect(pairKey(peer, hex(recorded.members[k]!.r), id)).toEqual(key);
        if (hybrid) expect(opened.get(`${id} ${peer}`)!.confirmation).toEqual(expand(key, 'confirm'));
      }
    }
  });

  const rootU1 = root(ids.map((id) => framed(id)));
  const inputs = new Map<string, readonly Buffer[]>();

  it('verifies inputs, survivors, confirmations, answers and the receipt, and takes the sum out', () => {
    for (const { from, data } of all('maskedInput')) {
      const reader = new Reader(data).header(5, sid);
      expect(reader.text()).toBe(from);
      expect(reader.list(() => reader.text())).toEqual([]);
      const signature = reader.bytes();
      const vectors = reader.list(() => reader.bytes());
      reader.end();
      const digest = H('y', ...vectors.map(framed));
      expect(signed(keyOf(from), signature, 'input', framed(sid), framed(rootU1), framed(digest))).toBe(true);
      inputs.set(from, vectors);
    }
    const survivors = new Reader(one('survivors')).header(6, sid);
    const u2 = survivors.list(() => ({ id: survivors.text(), digest: survivors.bytes(), signature: survivors.bytes() }));
    survivors.end();
    expect(u2.map(({ id }) => id)).toEqual(recorded.survivors);
    for (const { id, digest } of u2) expect(digest).toEqual(H('y', ...inputs.get(id)!.map(framed)));
    const rootU2 = root(u2.map(({ id, digest }) => Buffer.concat([framed(id), framed(digest)])));
    const statement = [framed(sid), framed(rootU1), framed(rootU2), u32(u2.length)];
    const readConfirmation = (reader: Reader) => ({ id: reader.text(), signature: reader.bytes() });
    for (const { data } of all('confirm')) {
      const reader = new Reader(data).header(7, sid);
      const { id, signature } = readConfirmation(reader);
      reader.end();
      expect(signed(keyOf(id), signature, 'confirm', ...statement)).toBe(true);
    }
    const confirmations = new Reader(one('confirmations')).header(8, sid);
    const certificate = confirmations.list(() => readConfirmation(confirmations));
    confirmations.end();
    expect(certificate.length).toBe(t);

    const shares = new Map<string, { readonly x: number; readonly share: Buffer }[]>();
    for (const { from, data } of all('unmask')) {
      const reader = new Reader(data).header(9, sid);
      expect(reader.text()).toBe(from);
      const items = reader.list(() => ({ dealer: reader.text(), kind: reader.u8(), share: reader.bytes() }));
      const signature = reader.bytes();
      reader.end();
      const encoded = items.map(({ dealer, kind, share }) => Buffer.concat([framed(dealer), Buffer.of(kind), framed(share)]));
      const digest = H('unmask', framed(from), list(encoded));
      expect(signed(keyOf(from), signature, 'unmask', framed(sid), framed(digest))).toBe(true);
      for (const { dealer, kind, share } of items) {
        expect(kind).toBe(inputs.has(dealer) ? 0 : 1);
        if (dealer !== from) expect(share).toEqual(opened.get(`${dealer} ${from}`)![kind === 0 ? 'b' : 'r']);
        shares.set(dealer, [...(shares.get(dealer) ?? []), { x: ids.indexOf(from) + 1, share }]);
      }
    }
    const totals = context.vectors.map(({ length }) => Array.from({ length }, () => 0n));
    const put = (key: Buffer | undefined, sign: bigint, vectors?: readonly Buffer[]): void => {
      for (const [v, { name, length, bits }] of context.vectors.entries()) {
        const bytes = Math.ceil((length * bits) / 8);
        const stream = (): Buffer => {
          const own = expand(key!, 'prg', u32(v), framed(name), u32(length), u32(bits));
          return createCipheriv('aes-256-ctr', own, Buffer.alloc(16)).update(Buffer.alloc(bytes));
        };
        for (const [e, value] of elements(vectors?.[v] ?? stream(), bits, length).entries()) totals[v]![e]! += sign * value;
      }
    };
    for (const [place, dealer] of ids.entries()) {
      const secret = recover(shares.get(dealer)!.slice(0, t));
      if (inputs.has(dealer)) {
        expect(H('commit', framed(ctx), framed(dealer), framed(secret))).toEqual(roster[place]!.commitment);
        put(undefined, 1n, inputs.get(dealer));
        put(kdf(secret, sid, 'self', framed(dealer)), -1n);
        continue;
      }
      expect(secret).toEqual(hex(recorded.members[place]!.r));
      for (const peer of recorded.survivors) {
        const other = ids.indexOf(peer);
        // The survivor added where it is the lower one.
        put(pairKey(dealer, secret, peer), other < place ? -1n : 1n);
      }
    }
    const sums = totals.map((total, v) => {
      const modulus = 1n << BigInt(context.vectors[v]!.bits);
      return total.map((value) => ((value % modulus) + modulus) % modulus);
    });
    expect(sums.map((sum) => sum.map(Number))).toEqual(recorded.sums);

    const reader = new Reader(one('receipt')).header(10, sid);
    const receipt = { rootU2: reader.bytes(), survivors: reader.u32(), sumHash: reader.bytes() };
    expect(reader.list(() => readConfirmation(reader))).toEqual(certificate);
    const event = reader.bytes();
    const signature = reader.bytes();
    reader.end();
    const packed = sums.map((sum, v) => {
      const { bits, length } = context.vectors[v]!;
      const bytes = Math.ceil((length * bits) / 8);
      const value = sum.reduce((joined, element, e) => joined | (element << BigInt(e * bits)), 0n);
      return hex(value.toString(16).padStart(2 * bytes, '0')).reverse();
    });
    expect(receipt).toEqual({ rootU2, survivors: u2.length, sumHash: H('sum', ...packed.map(framed)) });
    const attested = [framed(sid), framed(rootU2), u32(u2.length), framed(receipt.sumHash), framed(H('event', framed(event)))];
    expect(signed(hex(context.coordinatorKey), signature, 'receipt', ...attested)).toBe(true);
  });
});
