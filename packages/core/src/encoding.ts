/**
 * The canonical byte encoding `enc` that is hashed and signed everywhere in Sotto: u8, u32 and u64 big-endian; bytes and
 * UTF-8 text as u32 length ‖ bytes; lists as u32 count ‖ items; reals as binary64 big-endian without NaN, ∞ and −0. Each
 * value has one encoding; a reader refuses trailing bytes and lengths beyond what is left, before it allocates.
 *
 * @module
 */
import { fromUtf8, utf8 } from './bytes.ts';
import { SottoError } from './errors.ts';

/** Builds one canonical byte string. Methods chain. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.#integer(value, 1, 0xff);
  }

  u32(value: number): this {
    return this.#integer(value, 4, 0xffffffff);
  }

  /** A safe integer, or a bigint below 2⁶⁴. */
  u64(value: number | bigint): this {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw outOfRange(value, 'u64');
    const wide = BigInt(value);
    if (wide < 0n || wide >= 1n << 64n) throw outOfRange(value, 'u64');
    const part = new Uint8Array(8);
    new DataView(part.buffer).setBigUint64(0, wide);
    this.#parts.push(part);
    return this;
  }

  /** Length-prefixed bytes. They are referenced, not copied, until {@link finish}. */
  bytes(value: Uint8Array): this {
    this.u32(value.length);
    this.#parts.push(value);
    return this;
  }

  /** Bytes of a length that the reader knows: no prefix. */
  raw(value: Uint8Array): this {
    this.#parts.push(value);
    return this;
  }

  text(value: string): this {
    return this.bytes(asciiBytes(value) ?? utf8(value));
  }

  real(value: number): this {
    if (!Number.isFinite(value) || Object.is(value, -0)) throw outOfRange(value, 'finite real without -0');
    const part = new Uint8Array(8);
    new DataView(part.buffer).setFloat64(0, value);
    this.#parts.push(part);
    return this;
  }

  list<T>(items: readonly T[], write: (writer: this, item: T) => void): this {
    this.u32(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  finish(): Uint8Array {
    let length = 0;
    for (const part of this.#parts) length += part.length;
    const out = new Uint8Array(length);
    let offset = 0;
    for (const part of this.#parts) {
      out.set(part, offset);
      offset += part.length;
    }
    return out;
  }

  #integer(value: number, width: 1 | 4, max: number): this {
    if (!Number.isInteger(value) || value < 0 || value > max || Object.is(value, -0)) throw outOfRange(value, `u${8 * width}`);
    this.#parts.push(width === 1 ? Uint8Array.of(value) : Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
    return this;
  }
}

/** The bytes of a short ASCII text, as labels and ids are, much faster than through a text encoder; else `undefined`. */
function asciiBytes(value: string): Uint8Array | undefined {
  if (value.length > 128) return undefined;
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit > 0x7f) return undefined;
    bytes[i] = unit;
  }
  return bytes;
}

function outOfRange(value: number | bigint, type: string): SottoError {
  return new SottoError('invalid-argument', `${value} does not fit the type ${type}`);
}

/** Reads one canonical byte string; every fault is `invalid-encoding` with the name of the thing being read. */
export class ByteReader {
  readonly #data: Uint8Array;
  readonly #what: string;
  #offset = 0;

  constructor(data: Uint8Array, what: string) {
    this.#data = data;
    this.#what = what;
  }

  get left(): number {
    return this.#data.length - this.#offset;
  }

  u8(): number {
    return this.#data[this.#skip(1)]!;
  }

  u32(): number {
    const at = this.#skip(4);
    const data = this.#data;
    return ((data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!) >>> 0;
  }

  /** A u64 that must be a safe integer. */
  u64(): number {
    const wide = this.#view(8).getBigUint64(0);
    if (wide > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#fault('an integer is beyond 2^53 - 1');
    return Number(wide);
  }

  /** A copy of length-prefixed bytes, at most `maxLength` of them. */
  bytes(maxLength: number = 0xffffffff): Uint8Array {
    const length = this.u32();
    if (length > maxLength) throw this.#fault(`a field of ${length} bytes is longer than ${maxLength}`);
    return this.raw(length);
  }

  /** A copy of exactly `length` bytes. */
  raw(length: number): Uint8Array {
    if (length > this.left) throw this.#fault(`${length} bytes are announced, ${this.left} are left`);
    const part = this.#data.slice(this.#offset, this.#offset + length);
    this.#offset += length;
    return part;
  }

  text(maxLength: number = 65536): string {
    return fromUtf8(this.bytes(maxLength));
  }

  real(): number {
    const value = this.#view(8).getFloat64(0);
    if (!Number.isFinite(value) || Object.is(value, -0)) throw this.#fault('a real is NaN, infinite or -0');
    return value;
  }

  /** A list whose items take at least `minItemBytes` each, so that an absurd count is refused before any allocation. */
  list<T>(read: (reader: this) => T, limits: { readonly maxCount: number; readonly minItemBytes: number }): T[] {
    const count = this.u32();
    if (count > limits.maxCount) throw this.#fault(`a list of ${count} items is longer than ${limits.maxCount}`);
    if (count * limits.minItemBytes > this.left) throw this.#fault(`a list of ${count} items does not fit what is left`);
    return Array.from({ length: count }, () => read(this));
  }

  /** Ends the reading; trailing bytes are refused. */
  end(): void {
    if (this.left !== 0) throw this.#fault(`${this.left} trailing bytes`);
  }

  #view(width: number): DataView {
    return new DataView(this.#data.buffer, this.#data.byteOffset + this.#skip(width), width);
  }

  /** Moves on by `width` bytes, which must be there, and returns where they begin. */
  #skip(width: number): number {
    const at = this.#offset;
    if (width > this.#data.length - at) throw this.#fault(`it ends after ${this.#data.length} bytes`);
    this.#offset = at + width;
    return at;
  }

  #fault(reason: string): SottoError {
    return new SottoError('invalid-encoding', `${this.#what} does not decode: ${reason}`);
  }
}
