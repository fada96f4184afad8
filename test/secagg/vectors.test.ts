import { createCipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recipes, record } from './vectors/record.ts';

interface Recorded {
  readonly sid: string;
  readonly ctx: string;
  readonly context: { readonly vectors: readonly { readonly name: string; readonly length: number; readonly bits: number }[] };
  readonly members: readonly {
    readonly id: string;
    readonly r: string;
    readonly b: string;
    readonly maskSecret: string;
    readonly commitment: string;
    readonly selfKey: string;
    readonly input: readonly (readonly number[])[];
    readonly peers: readonly { readonly id: string; readonly pairKey: string }[];
  }[];
  readonly messages: readonly { readonly from: string; readonly name: string; readonly hex: string }[];
}

const load = (file: string): Recorded =>
  JSON.parse(readFileSync(new URL(`vectors/${file}`, import.meta.url), 'utf8')) as Recorded;

// What follows is written against the specification and node:crypto alone, as a stranger would.
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const framed = (value: Buffer | string): Buffer => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
const label = (text: string, ...fields: readonly Buffer[]): Buffer =>
  Buffer.concat([framed(`sotto-secagg/1 ${text}`), ...fields]);
const expand = (prk: Buffer, info: Buffer): Buffer => createHmac('sha256', prk).update(info).update(Buffer.of(1)).digest();
const keystream = (key: Buffer, length: number): Buffer =>
  createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
const elements = (bytes: Buffer, bits: number, length: number): bigint[] => {
  const all = BigInt(`0x0${Buffer.from(bytes).reverse().toString('hex')}`);
  return Array.from({ length }, (_, e) => (all >> BigInt(e * bits)) & ((1n << BigInt(bits)) - 1n));
};
const x25519 = (secret: string, other: string): Buffer => {
  const key = (raw: string) =>
    createPrivateKey({ key: hex(`302e020100300506032b656e04220420${raw}`), format: 'der', type: 'pkcs8' });
  return diffieHellman({ privateKey: key(secret), publicKey: createPublicKey(key(other)) });
};

describe.each(recipes)('vectors: $what', (recipe) => {
  const vector = load(recipe.file);

  it('are what the code gives today', () => {
    expect(JSON.parse(JSON.stringify(record(recipe)))).toEqual(vector);
  });

  it('hold against an implementation of their own', () => {
    const sid = hex(vector.sid);
    const place = (id: string): number => vector.members.findIndex((member) => member.id === id);
    for (const member of vector.members) {
      expect(expand(hex(member.r), label('mask x25519')).toString('hex')).toBe(member.maskSecret);
      const commit = createHash('sha256').update(
        label('commit', framed(hex(vector.ctx)), framed(member.id), framed(hex(member.b))),
      );
      expect(commit.digest('hex')).toBe(member.commitment);
      const self = Buffer.from(hkdfSync('sha256', hex(member.b), sid, label('self', framed(member.id)), 32));
      expect(self.toString('hex')).toBe(member.selfKey);
      const sent = vector.messages.find((message) => message.from === member.id && message.name === 'maskedInput');
      if (sent === undefined || member.peers.length === 0) continue;
      // y, minus every mask, is x: the self mask, and the pair masks of U1, which the lower id added.
      const u1 = vector.members.filter(({ id }) =>
        vector.messages.some((message) => message.from === id && message.name === 'shares'),
      );
      const streams = [{ key: self, sign: 1n }];
      for (const peer of u1) {
        if (peer.id === member.id) continue;
        const [low, high] = place(peer.id) < place(member.id) ? [peer.id, member.id] : [member.id, peer.id];
        const agreed = x25519(member.maskSecret, peer.maskSecret);
        const key = Buffer.from(hkdfSync('sha256', agreed, sid, label('pair', framed(low), framed(high)), 32));
        expect(key.toString('hex')).toBe(member.peers.find((candidate) => candidate.id === peer.id)!.pairKey);
        streams.push({ key, sign: low === member.id ? 1n : -1n });
      }
      const message = hex(sent.hex);
      let offset = message.length;
      for (const [index, spec] of [...vector.context.vectors.entries()].reverse()) {
        const bytes = Math.ceil((spec.length * spec.bits) / 8);
        const y = elements(message.subarray(offset - bytes, offset), spec.bits, spec.length);
        offset -= bytes + 4;
        for (const { key, sign } of streams) {
          const prg = expand(key, label('prg', u32(index), framed(spec.name), u32(spec.length), u32(spec.bits)));
          for (const [e, mask] of elements(keystream(prg, bytes), spec.bits, spec.length).entries()) y[e]! -= sign * mask;
        }
        const modulus = 1n << BigInt(spec.bits);
        expect(y.map((value) => Number(((value % modulus) + modulus) % modulus))).toEqual(member.input[index]);
      }
    }
  });
});
