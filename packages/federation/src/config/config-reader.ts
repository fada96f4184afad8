/**
 * Strict reading of configuration and plan files: every key is asked for by name, every fault names the path of the key,
 * its value, the limit and the cure, and a key that nobody asked for is refused.
 *
 * @module
 */
import { show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';

/** Reads one mapping. Call {@link ConfigReader.end} when all its keys have been read. */
export class ConfigReader {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #asked: Set<string> = new Set();
  /** Where this mapping stands, for messages: `coordinator.yaml: tls`. */
  readonly path: string;

  constructor(value: unknown, path: string) {
    this.path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new SottoError('invalid-config', `${path} is ${show(value)}; it must be a mapping of keys to values`);
    }
    this.#values = value as Readonly<Record<string, unknown>>;
  }

  /** Whether the key is there with a value other than null. */
  has(key: string): boolean {
    this.#asked.add(key);
    return this.#values[key] !== undefined && this.#values[key] !== null;
  }

  /** The raw value of a key that must be there. */
  value(key: string): unknown {
    if (!this.has(key)) throw new SottoError('invalid-config', `${this.path}: the key "${key}" is missing; add it`);
    return this.#values[key];
  }

  /** A value that passes a border check of `@sotto/core/check`. */
  read<T>(key: string, check: (name: string, value: unknown) => T): T {
    return this.#checked(key, this.value(key), check);
  }

  /** As {@link read}, with a default for a missing key. */
  readOr<T, D>(key: string, fallback: D, check: (name: string, value: unknown) => T): T | D {
    return this.has(key) ? this.read(key, check) : fallback;
  }

  text(key: string): string {
    return this.read(key, (_, value) => {
      if (typeof value !== 'string' || value.length === 0)
        throw new SottoError('invalid-argument', `is ${show(value)}; it must be a text`);
      return value;
    });
  }

  textOr<D>(key: string, fallback: D): string | D {
    return this.has(key) ? this.text(key) : fallback;
  }

  flagOr(key: string, fallback: boolean): boolean {
    return this.readOr(key, fallback, (_, value) => {
      if (typeof value !== 'boolean') throw new SottoError('invalid-argument', `is ${show(value)}; it must be true or false`);
      return value;
    });
  }

  /** A nested mapping. */
  object(key: string): ConfigReader {
    return new ConfigReader(this.value(key), `${this.path}: ${key}`);
  }

  /** A nested mapping, or `undefined`. */
  optionalObject(key: string): ConfigReader | undefined {
    return this.has(key) ? this.object(key) : undefined;
  }

  /** A list, each item read by a function that gets the item's path. */
  list<T>(key: string, read: (value: unknown, path: string) => T): T[] {
    const value = this.value(key);
    if (!Array.isArray(value))
      throw new SottoError('invalid-config', `${this.path}: ${key} is ${show(value)}; it must be a list`);
    return value.map((item, index) => {
      try {
        return read(item, `${this.path}: ${key}[${index}]`);
      } catch (cause) {
        // A border check names its argument, which here is the item's path.
        if (!(cause instanceof SottoError) || cause.code !== 'invalid-argument') throw cause;
        throw new SottoError('invalid-config', cause.message, { cause });
      }
    });
  }

  /** Refuses whatever was not asked for. */
  end(): void {
    for (const key of Object.keys(this.#values)) {
      if (this.#asked.has(key)) continue;
      const near = [...this.#asked].find((known) => distance(known.toLowerCase(), key.toLowerCase()) <= 2);
      const cure =
        near === undefined ? `remove it; known keys: ${[...this.#asked].sort().join(', ')}` : `did you mean "${near}"?`;
      throw new SottoError('invalid-config', `${this.path}: unknown key "${key}"; ${cure}`);
    }
  }

  #checked<T>(key: string, value: unknown, check: (name: string, value: unknown) => T): T {
    try {
      return check(key, value);
    } catch (cause) {
      const reason = SottoError.from(cause).message;
      throw new SottoError('invalid-config', `${this.path}: ${reason.startsWith(key) ? reason : `${key} ${reason}`}`, { cause });
    }
  }
}

/** Levenshtein distance, for suggestions only. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
