/**
 * `trust.json`: the trust bundle and the identity certificates of all parties, as canonical JSON.
 *
 * @module
 */
import { compareIds, fromBase64, fromUtf8, toBase64 } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import {
  decodeTrustBundle,
  encodeTrustBundle,
  type IdentityCertificate,
  type TrustBundle,
  trustFingerprint,
  verifyCertificate,
} from '@sotto/core/identity';
import { canonicalJsonBytes, type Json, parseCanonicalJson } from '@sotto/core/json';
import { base64, hash, integer, object, partyId, sortedBy, text } from '../ledger/fields.ts';

/** A certificate that the bundle's root signed. */
export interface CertifiedParty {
  readonly certificate: IdentityCertificate;
  /** Its wire form. */
  readonly wire: Uint8Array;
}

/** What `trust.json` says, verified under its own bundle. */
export interface RunTrust {
  readonly bundle: TrustBundle;
  /** What people compare with the enrolment authority's. */
  readonly fingerprint: string;
  /** By party id. */
  readonly parties: ReadonlyMap<string, CertifiedParty>;
}

interface TrustFile {
  readonly version: number;
  readonly trustDomain: string;
  readonly fingerprint: string;
  readonly bundle: string;
  readonly certificates: readonly { readonly party: string; readonly certificate: string }[];
}

const trustFile = object<TrustFile>({
  version: integer(1, 1),
  trustDomain: text(255),
  fingerprint: hash,
  bundle: base64({ maxLength: 70_000 }),
  certificates: sortedBy(object({ party: partyId, certificate: base64({ maxLength: 4096 }) }), ({ party }) => party, 10_000),
});

/** Writes `trust.json`. */
export function encodeTrustFile(
  crypto: Pick<CryptoProvider, 'sha256'>,
  bundle: TrustBundle,
  certificates: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const file: TrustFile = {
    version: 1,
    trustDomain: bundle.trustDomain,
    fingerprint: trustFingerprint(crypto, bundle),
    bundle: toBase64(encodeTrustBundle(bundle)),
    certificates: [...certificates]
      .toSorted(([a], [b]) => compareIds(a, b))
      .map(([party, wire]) => ({ party, certificate: toBase64(wire) })),
  };
  return canonicalJsonBytes(file as unknown as Json);
}

/** Reads `trust.json` and verifies every certificate under its bundle; throws `invalid-encoding`, `integrity` or `unauthenticated`. */
export function decodeTrustFile(crypto: CryptoProvider, bytes: Uint8Array): RunTrust {
  const json = parseCanonicalJson(fromUtf8(bytes), 'trust.json');
  let file: TrustFile;
  try {
    file = trustFile(json, 'trust.json');
  } catch (cause) {
    throw new SottoError('invalid-encoding', SottoError.from(cause).message, { cause });
  }
  const bundle = decodeTrustBundle(fromBase64(file.bundle));
  const fingerprint = trustFingerprint(crypto, bundle);
  if (fingerprint !== file.fingerprint || bundle.trustDomain !== file.trustDomain) {
    throw new SottoError('integrity', 'fingerprint or trust domain are not those of the bundle');
  }
  const parties = new Map<string, CertifiedParty>();
  for (const { party, certificate } of file.certificates) {
    const wire = fromBase64(certificate);
    parties.set(party, { wire, certificate: verifyCertificate(crypto, wire, { bundle, id: party }) });
  }
  return { bundle, fingerprint, parties };
}
