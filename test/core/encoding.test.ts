import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '@sotto/core/encoding';
import { SottoError } from '@sotto/core/errors';

const record = fc.record({
  small: fc.nat(255),
  word: fc.nat(0xffffffff),
  wide: fc.maxSafeNat(),
  data: fc.uint8Array({ maxLength: 20 }),
  text: fc.string({ unit: 'grapheme', maxLength: 10 }),
  real: fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => !Object.is(x, -0)),
  list: fc.array(fc.nat(255), { maxLength: 5 }),
});
type Fields = typeof record extends fc.Arbitrary<infer T> ? T : never;

function encode(fields: Fields): Uint8Array {
  return new ByteWriter()
    .u8(fields.small)
    .u32(fields.word)
    .u64(fields.wide)
    .bytes(fields.data)
    .text(fields.text)
    .real(fields.real)
    .list(fields.list, (writer, item) => writer.u8(item))
    .finish();
}

function decode(data: Uint8Array): Fields {
  const reader = new ByteReader(data, 'record');
  const fields = {
    small: reader.u8(),
    word: reader.u32(),
    wide: reader.u64(),
    data: reader.bytes(20) as Uint8Array<ArrayBuffer>,
    text: reader.text(),
    real: reader.real(),
    list: reader.list((r) => r.u8(), { maxCount: 5, minItemBytes: 1 }),
  };
  reader.end();
  return fields;
}

describe('the canonical encoding', () => {
  it('round-trips and is injective: any accepted bytes encode back to themselves', () => {
    fc.assert(
      fc.property(record, (fields) => {
        const wire = encode(fields);
        expect(decode(wire)).toEqual(fields);
        expect([...encode(decode(wire))]).toEqual([...wire]);
      }),
    );
  });

  it('never throws anything but invalid-encoding on arbitrary bytes, and what it accepts is canonical', () => {
    fc.assert(
      fc.property(record, fc.nat(60), fc.nat(255), (fields, position, value) => {
        const wire = encode(fields).slice();
        wire[position % wire.length] = value;
        try {
          expect([...encode(decode(wire))]).toEqual([...wire]);
        } catch (reason) {
          expect(reason).toBeInstanceOf(SottoError);
          expect((reason as SottoError).code).toBe('invalid-encoding');
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('lays bytes out as documented', () => {
    const wire = new ByteWriter()
      .u8(7)
      .u32(258)
      .u64(1n << 40n)
      .text('é')
      .real(1)
      .list([1, 2], (w, x) => w.u8(x))
      .finish();
    expect(Buffer.from(wire).toString('hex')).toBe(
      '07' + '00000102' + '0000010000000000' + '00000002c3a9' + '3ff0000000000000' + '000000020102',
    );
  });

  it('refuses values without an encoding', () => {
    for (const write of [
      (w: ByteWriter) => w.u8(256),
      (w: ByteWriter) => w.u8(-0),
      (w: ByteWriter) => w.u32(-1),
      (w: ByteWriter) => w.u32(1.5),
      (w: ByteWriter) => w.u64(2 ** 53),
      (w: ByteWriter) => w.u64(-1n),
      (w: ByteWriter) => w.real(Number.NaN),
      (w: ByteWriter) => w.real(Infinity),
      (w: ByteWriter) => w.real(-0),
    ]) {
      expect(() => write(new ByteWriter())).toThrow(SottoError);
    }
  });

  it('refuses absurd lengths before it allocates, and trailing bytes', () => {
    const huge = new ByteWriter().u32(0xffffffff).finish();
    expect(() => new ByteReader(huge, 'thing').bytes()).toThrow(
      /thing does not decode: 4294967295 bytes are announced, 0 are left/,
    );
    expect(() => new ByteReader(huge, 'thing').list((r) => r.u8(), { maxCount: 10, minItemBytes: 1 })).toThrow(/longer than 10/);
    expect(() => new ByteReader(huge, 'thing').list((r) => r.u8(), { maxCount: 2 ** 32, minItemBytes: 1 })).toThrow(
      /does not fit/,
    );
    const reader = new ByteReader(Uint8Array.of(1, 2), 'thing');
    reader.u8();
    expect(() => reader.end()).toThrow(/1 trailing bytes/);
  });
});
