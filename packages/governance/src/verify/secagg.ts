/**
 * What a publish entry claims about its secure aggregation, checked against the participants' signatures. Written from
 * the protocol's specification (secure aggregation protocol 1, §2 and §4), independently of the code that ran it.
 *
 * @module
 */
import { equalBytes, fromBase64, fromHex, toHex } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { ByteWriter } from '@sotto/core/encoding';
import { encodeEvent } from '@sotto/core/event';
import { canonicalJsonBytes } from '@sotto/core/json';
import type { PublishEntry } from '../ledger/entry.ts';
import { leafHash } from '../merkle/hash.ts';
import { merkleRoot } from '../merkle/compact-range.ts';

type VerifyingCrypto = Pick<CryptoProvider, 'sha256' | 'ed25519Verify'>;

const PROTOCOL = 'sotto-secagg/1';

/** All certified protocol keys of a party (one, or more after a renewal); none for a stranger. */
export type SigningKeys = (party: string) => readonly Uint8Array[];

/** enc("sotto-secagg/1 " + label, …). */
const labelled = (label: string): ByteWriter => new ByteWriter().text(`${PROTOCOL} ${label}`);

/** sid = H("sid", ctx, n, rosterRoot). */
function sessionId(crypto: VerifyingCrypto, entry: PublishEntry): string {
  const fields = labelled('sid').bytes(fromHex(entry.context)).u32(entry.roster.length).bytes(fromHex(entry.rosterRoot));
  return toHex(crypto.sha256(fields.finish()));
}

/** root(U1): leaves enc(id). */
export function sharersRoot(crypto: Pick<CryptoProvider, 'sha256'>, sharers: readonly string[]): string {
  return toHex(
    merkleRoot(
      crypto,
      sharers.map((id) => leafHash(crypto, new ByteWriter().text(id).finish())),
    ),
  );
}

/** root(U2): leaves enc(id, H(y)). */
export function survivorsRoot(
  crypto: Pick<CryptoProvider, 'sha256'>,
  survivors: readonly { readonly party: string; readonly inputHash: string }[],
): string {
  const leaves = survivors.map(({ party, inputHash }) => new ByteWriter().text(party).bytes(fromHex(inputHash)).finish());
  return toHex(
    merkleRoot(
      crypto,
      leaves.map((leaf) => leafHash(crypto, leaf)),
    ),
  );
}

/** What the receipt of a round states: the reserved events of the survivors by party, as canonical JSON. */
function releasedEvents({ survivors }: PublishEntry): Uint8Array {
  return canonicalJsonBytes(
    Object.fromEntries(survivors.map(({ party, evidence }) => [party, encodeEvent(evidence.reserve.event)])),
  );
}

/**
 * Checks the session id, both roots, every signature of a published round, and the events that its receipt states.
 *
 * @returns what does not hold, in words; empty if all does
 */
export function checkRoundSignatures(
  crypto: VerifyingCrypto,
  entry: PublishEntry,
  signingKeys: SigningKeys,
  coordinator: string,
): string[] {
  const faults: string[] = [];
  const signed = (party: string, message: Uint8Array, signature: string): boolean =>
    signingKeys(party).some((key) => crypto.ed25519Verify(key, message, fromBase64(signature)));
  if (sessionId(crypto, entry) !== entry.sid) faults.push('the session id does not follow from context and roster');
  if (sharersRoot(crypto, entry.sharers) !== entry.sharersRoot) faults.push('the root of the sharers is wrong');
  if (survivorsRoot(crypto, entry.survivors) !== entry.survivorsRoot) faults.push('the root of the survivors is wrong');
  const sid = fromHex(entry.sid);
  const rootU1 = fromHex(entry.sharersRoot);
  const rootU2 = fromHex(entry.survivorsRoot);
  for (const { party, inputHash, signature } of entry.survivors) {
    const message = labelled('sig input').bytes(sid).bytes(rootU1).bytes(fromHex(inputHash)).finish();
    if (!signed(party, message, signature)) faults.push(`the signature of ${party} over its input does not verify`);
  }
  const certified = labelled('sig confirm').bytes(sid).bytes(rootU1).bytes(rootU2).u32(entry.survivors.length).finish();
  for (const { party, signature } of entry.confirmations) {
    if (!signed(party, certified, signature)) faults.push(`the signature of ${party} over the survivor set does not verify`);
  }
  const stated = fromBase64(entry.receipt.event);
  if (!equalBytes(stated, releasedEvents(entry))) faults.push('the receipt states other events than the survivors reserved');
  const event = crypto.sha256(labelled('event').bytes(stated).finish());
  const receipt = labelled('sig receipt')
    .bytes(sid)
    .bytes(rootU2)
    .u32(entry.survivors.length)
    .bytes(fromHex(entry.sumHash))
    .bytes(event)
    .finish();
  if (!signed(coordinator, receipt, entry.receipt.signature)) faults.push('the signature of the receipt does not verify');
  return faults;
}
