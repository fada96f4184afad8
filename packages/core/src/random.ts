/**
 * Where randomness comes from: a parameter, always. Protocol and mechanism code takes a {@link RandomSource}; programs
 * pass `systemRandom` (the platform's CSPRNG), tests may pass a deterministic one, which is named as unsafe.
 *
 * @module
 */

/** A source of uniform random bytes. Implementations MUST be cryptographically secure unless their name says otherwise. */
export interface RandomSource {
  /** Overwrites the whole target with fresh random bytes. The same bytes are never handed out twice. */
  fill(target: Uint8Array): void;
}

/** Fresh random bytes from a source. */
export function randomBytes(random: RandomSource, length: number): Uint8Array {
  const out = new Uint8Array(length);
  random.fill(out);
  return out;
}
