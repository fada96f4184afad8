/**
 * Signed notes (C2SP signed-note v1.0.0) with Ed25519 keys (type 0x01).
 *
 * A note is text that ends in a newline, a blank line, and signature lines "— name base64(key id ‖ signature)". The text
 * ends at the *last* blank line. A signature by a key that the reader does not know is ignored; one by a known key that
 * does not verify makes the whole note unacceptable.
 *
 * @module
 */
import { concat, equalBytes, fromBase64, fromHex, fromUtf8, toBase64, toHex, utf8 } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';

/** Key types of signed-note; only Ed25519 is known here. */
const ED25519_TYPE = 1;
const KEY_ID_LENGTH = 4;
const MAX_NOTE_BYTES = 1_000_000;
/** The specification asks for at least 16. */
const MAX_SIGNATURES = 100;
const SIGNATURE_PREFIX = '— ';

/** A key that a reader knows. */
export interface NoteVerifier {
  readonly name: string;
  /** Ed25519 public key (32 bytes). */
  readonly publicKey: Uint8Array;
}

/** A key that signs. */
export interface NoteSigner {
  readonly name: string;
  /** Ed25519 seed (32 bytes), secret. */
  readonly seed: Uint8Array;
}

/** One signature line. */
export interface NoteSignature {
  readonly name: string;
  /** 4 bytes that hint at the key. */
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** A note taken apart, nothing of it verified. */
export interface ParsedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A note of which at least one known key has signed the text. */
export interface OpenedNote {
  readonly text: string;
  /** The known keys that signed, in the order of their lines. */
  readonly signedBy: readonly NoteVerifier[];
  /** Lines of unknown keys. */
  readonly unknown: readonly NoteSignature[];
}

/** Whether a text can be a key name: not empty, no white space, no plus sign. */
export function isNoteName(name: string): boolean {
  return name.length > 0 && name.isWellFormed() && !/[\s+\p{Cc}]/u.test(name);
}

/** The key id: the first 4 bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key). */
export function noteKeyId(crypto: Pick<CryptoProvider, 'sha256'>, verifier: NoteVerifier): Uint8Array {
  return crypto.sha256(utf8(`${verifier.name}\n`), Uint8Array.of(ED25519_TYPE), verifier.publicKey).subarray(0, KEY_ID_LENGTH);
}

/** The text form of a verifier key: `name+hex key id+base64(0x01 ‖ public key)`. */
export function encodeVerifierKey(crypto: Pick<CryptoProvider, 'sha256'>, verifier: NoteVerifier): string {
  const id = toHex(noteKeyId(crypto, verifier));
  return `${verifier.name}+${id}+${toBase64(concat(Uint8Array.of(ED25519_TYPE), verifier.publicKey))}`;
}

/** The inverse of {@link encodeVerifierKey}; the key id must fit the key. */
export function decodeVerifierKey(crypto: Pick<CryptoProvider, 'sha256'>, text: string): NoteVerifier {
  const [name, id, ...rest] = text.split('+');
  const key = rest.join('+'); // base64 may hold a plus sign
  if (name === undefined || id === undefined || !isNoteName(name)) throw malformed('verifier key is not name+id+key');
  const bytes = fromBase64(key);
  if (bytes[0] !== ED25519_TYPE || bytes.length !== 33) throw malformed('verifier key is not an Ed25519 key (type 1)');
  const verifier: NoteVerifier = { name, publicKey: bytes.slice(1) };
  if (!equalBytes(fromHex(id), noteKeyId(crypto, verifier))) throw malformed('verifier key has a key id that is not its own');
  return verifier;
}

function malformed(reason: string): SottoError {
  return new SottoError('invalid-encoding', reason);
}

function checkText(text: string): void {
  if (!text.endsWith('\n')) throw malformed('note text does not end in a newline');
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 && unit !== 0x0a) throw malformed('note text holds a control character');
  }
}

/** Signs a text, which must end in a newline; one line per signer, in their order. */
export function signNote(
  crypto: Pick<CryptoProvider, 'sha256' | 'ed25519PublicKey' | 'ed25519Sign'>,
  text: string,
  signers: readonly NoteSigner[],
): Uint8Array {
  checkText(text);
  const message = utf8(text);
  const lines = signers.map((signer) => {
    if (!isNoteName(signer.name)) {
      throw new SottoError(
        'invalid-argument',
        `key name ${JSON.stringify(signer.name)} is empty or holds a space or a plus sign`,
      );
    }
    const id = noteKeyId(crypto, { name: signer.name, publicKey: crypto.ed25519PublicKey(signer.seed) });
    return `${SIGNATURE_PREFIX}${signer.name} ${toBase64(concat(id, crypto.ed25519Sign(signer.seed, message)))}\n`;
  });
  return utf8(`${text}\n${lines.join('')}`);
}

function parseSignatureLine(line: string): NoteSignature {
  const parts = line.startsWith(SIGNATURE_PREFIX) ? line.slice(SIGNATURE_PREFIX.length).split(' ') : [];
  const [name, encoded] = parts;
  if (parts.length !== 2 || name === undefined || encoded === undefined || !isNoteName(name)) {
    throw malformed('note has a signature line that is not "— name base64"');
  }
  const bytes = fromBase64(encoded);
  if (bytes.length <= KEY_ID_LENGTH) throw malformed(`note has a signature line of ${name} without a signature`);
  return { name, keyId: bytes.slice(0, KEY_ID_LENGTH), signature: bytes.slice(KEY_ID_LENGTH) };
}

/** Takes a note apart without verifying anything; throws `invalid-encoding`. */
export function parseNote(note: Uint8Array): ParsedNote {
  if (note.length > MAX_NOTE_BYTES) throw malformed(`note of ${note.length} bytes is longer than ${MAX_NOTE_BYTES}`);
  const whole = fromUtf8(note);
  const blank = whole.lastIndexOf('\n\n');
  if (blank < 0) throw malformed('note has no blank line before its signatures');
  const text = whole.slice(0, blank + 1);
  const block = whole.slice(blank + 2);
  checkText(text);
  if (!block.endsWith('\n')) throw malformed('note does not end in a signature line');
  const lines = block.slice(0, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed(`note has more than ${MAX_SIGNATURES} signatures`);
  return { text, signatures: lines.map(parseSignatureLine) };
}

/**
 * Verifies a note against the keys that the reader knows.
 *
 * @throws SottoError `invalid-encoding` for what is no note; `integrity` if a known key's signature does not verify, or
 *   if no known key signed
 */
export function openNote(
  crypto: Pick<CryptoProvider, 'sha256' | 'ed25519Verify'>,
  note: Uint8Array,
  verifiers: readonly NoteVerifier[],
): OpenedNote {
  const { text, signatures } = parseNote(note);
  const message = utf8(text);
  const known = verifiers.map((verifier) => ({ verifier, keyId: noteKeyId(crypto, verifier) }));
  const signedBy: NoteVerifier[] = [];
  const unknown: NoteSignature[] = [];
  for (const line of signatures) {
    const match = known.find(({ verifier, keyId }) => verifier.name === line.name && equalBytes(keyId, line.keyId));
    if (match === undefined) {
      unknown.push(line);
      continue;
    }
    if (!crypto.ed25519Verify(match.verifier.publicKey, message, line.signature)) {
      throw new SottoError('integrity', `the note's signature by ${line.name} does not verify`);
    }
    if (!signedBy.includes(match.verifier)) signedBy.push(match.verifier);
  }
  if (signedBy.length === 0) {
    throw new SottoError(
      'integrity',
      `the note is not signed by ${verifiers.map(({ name }) => name).join(' or ') || 'a known key'}`,
    );
  }
  return { text, signedBy, unknown };
}
