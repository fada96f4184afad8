/**
 * How much room a published round has for each party: its ledger entry holds what every survivor reserved, and the receipt the events of all, within fixed
 * limits. A party that took more than its share would spoil the round of all others after their budgets are spent.
 *
 * @module
 */
import { MAX_ENTRY_BYTES } from '@sotto/governance';

/** The longest event of a receipt, in bytes, as the ledger's entries allow it. */
const RECEIPT_EVENT_BYTES = 16_384;
/** Of an entry: what does not grow with the parties. */
const FIXED_BYTES = 4_096;
/** Of an entry for each party: hash, two signatures and the names of members, and as many times its id. */
const PARTY_BYTES = 340;
const IDS_PER_PARTY = 4;
/** In a receipt beside a party's id and event: quotes, a colon and a comma. */
const RECEIPT_PARTY_BYTES = 8;

/** Parties that a plan may have: each takes about 1,250 bytes of an entry, more where its ledger is long. */
export const MOST_PARTIES = 40;

/**
 * Why what a party reserved is too long for its share; undefined where it fits. While every party keeps to its share, the round can be published.
 *
 * @param evidenceBytes Canonical JSON of the reservation's evidence
 * @param eventBytes Canonical JSON of the event in it
 */
export function overRoom(parties: number, id: string, evidenceBytes: number, eventBytes: number): string | undefined {
  const inReceipt = eventBytes + id.length + RECEIPT_PARTY_BYTES;
  const mostInReceipt = Math.floor(RECEIPT_EVENT_BYTES / parties);
  if (inReceipt > mostInReceipt)
    return `the event has ${eventBytes} bytes, of which a receipt of ${parties} parties has room for ${mostInReceipt - inReceipt + eventBytes} each`;
  // The receipt stands in the entry as base64.
  const others = PARTY_BYTES + IDS_PER_PARTY * id.length + Math.ceil((inReceipt * 4) / 3);
  const most = Math.floor((MAX_ENTRY_BYTES - FIXED_BYTES) / parties) - others;
  return evidenceBytes > most
    ? `its evidence has ${evidenceBytes} bytes, of which a ledger entry of ${parties} parties has room for ${most}`
    : undefined;
}
