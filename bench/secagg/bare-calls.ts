/**
 * The set-up of a client against the bare calls of `node:crypto` that it makes: every verification, agreement, seal and hash
 * that a whole client was seen to make, again with the same inputs and nothing around them, in the cheapest form that Node
 * has for each (a raw AES key costs three times a key object, a DER key four times a PEM one). Importing a key is among them where every implementation must do it: one public key for each identity and
 * each agreement, one secret key for each batch of agreements and each signature.
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hash,
  sign,
  verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { CryptoProvider } from '@sotto/core/crypto';
import { nodeCrypto } from '@sotto/secagg/node';

/** Bare calls in the order in which they were made, and how many there are of each kind. */
export interface Calls {
  readonly list: (() => void)[];
  readonly counts: Record<'verify' | 'identities' | 'sign' | 'agree' | 'publicKey' | 'seal' | 'open' | 'sha256' | 'hmac', number>;
}

export const noCalls = (): Calls => ({
  list: [],
  counts: { verify: 0, identities: 0, sign: 0, agree: 0, publicKey: 0, seal: 0, open: 0, sha256: 0, hmac: 0 },
});

const TAG = { authTagLength: 16 };

const copy = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);

function der(prefix: string, raw: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix, 'hex'), raw]);
}

const ed25519Secret = (seed: Uint8Array): Buffer => der('302e020100300506032b657004220420', seed);
const x25519Secret = (secret: Uint8Array): Buffer => der('302e020100300506032b656e04220420', secret);
const pem = (spki: Buffer): string => `-----BEGIN PUBLIC KEY-----\n${spki.toString('base64')}\n-----END PUBLIC KEY-----\n`;
const ed25519Public = (key: Uint8Array): string => pem(der('302a300506032b6570032100', key));
const x25519Public = (key: Uint8Array): string => pem(der('302a300506032b656e032100', key));

/** A provider that writes into `calls` the bare call behind each call that goes through it. */
export function recordingCrypto({ list, counts }: Calls): CryptoProvider {
  const identities = new Map<string, { key: KeyObject | undefined }>();
  return {
    ...nodeCrypto,
    sha256(...parts) {
      counts.sha256++;
      const input = Buffer.concat(parts);
      list.push(() => void hash('sha256', input, 'buffer'));
      return nodeCrypto.sha256(...parts);
    },
    hmacSha256(key, ...parts) {
      counts.hmac++;
      // Two one-shot hashes are the cheapest HMAC that Node has for a short input.
      const inner = Buffer.concat([Buffer.alloc(64), ...parts]);
      const outer = Buffer.alloc(96);
      list.push(() => {
        hash('sha256', inner, 'buffer');
        hash('sha256', outer, 'buffer');
      });
      return nodeCrypto.hmacSha256(key, ...parts);
    },
    ed25519Sign(seed, message) {
      counts.sign++;
      const [key, input] = [ed25519Secret(seed), copy(message)];
      list.push(() => void sign(null, input, createPrivateKey({ key, format: 'der', type: 'pkcs8' })));
      return nodeCrypto.ed25519Sign(seed, message);
    },
    ed25519Verify(key, message, signature) {
      counts.verify++;
      const text = ed25519Public(key);
      const [input, signed] = [copy(message), copy(signature)];
      const known = identities.get(text);
      const identity = known ?? { key: undefined };
      if (known === undefined) {
        counts.identities++;
        identities.set(text, identity);
      }
      list.push(() => {
        if (known === undefined) identity.key = createPublicKey(text);
        verify(null, input, identity.key!, signed);
      });
      return nodeCrypto.ed25519Verify(key, message, signature);
    },
    x25519PublicKey(secret) {
      counts.publicKey++;
      const key = x25519Secret(secret);
      list.push(() => {
        createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' })).export({ format: 'der', type: 'spki' });
      });
      return nodeCrypto.x25519PublicKey(secret);
    },
    x25519Each(secret, publicKeys) {
      counts.agree += publicKeys.length;
      const key = x25519Secret(secret);
      const texts = publicKeys.map(x25519Public);
      list.push(() => {
        const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
        for (const text of texts) diffieHellman({ privateKey, publicKey: createPublicKey(text) });
      });
      return nodeCrypto.x25519Each(secret, publicKeys);
    },
    aes256GcmSeal(...input) {
      counts.seal++;
      const [key, nonce, aad, plaintext] = input.map(copy) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
      list.push(() => {
        const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce);
        cipher.setAAD(aad);
        cipher.update(plaintext);
        cipher.final();
        cipher.getAuthTag();
      });
      return nodeCrypto.aes256GcmSeal(...input);
    },
    aes256GcmOpen(...input) {
      counts.open++;
      const [key, nonce, aad, sealed] = input.map(copy) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
      list.push(() => {
        const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, TAG);
        decipher.setAAD(aad);
        decipher.setAuthTag(sealed.subarray(sealed.length - 16));
        decipher.update(sealed.subarray(0, sealed.length - 16));
        decipher.final();
      });
      return nodeCrypto.aes256GcmOpen(...input);
    },
  };
}

/** Makes the recorded calls. */
export function bareCalls({ list }: Calls): () => void {
  return () => {
    for (const call of list) call();
  };
}
