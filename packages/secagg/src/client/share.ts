/**
 * Round 1 at the client: r and b are split, a sealed pair of shares goes to each holder.
 *
 * @module
 */
import { concat, wipe } from '@sotto/core/bytes';
import { randomBytes } from '@sotto/core/random';
import { RoundAbort } from '../abort.ts';
import { channelKey, maskCoins, maskSecret, pairConfirmation, pairKey } from '../keys.ts';
import { boxAad, encodeShares, signShares } from '../messages/share.ts';
import type { ShareBox } from '../messages/share.ts';
import { splitSecret } from '../shamir.ts';
import { acceptRoster } from './advertise.ts';
import type { AdvertSecrets, ClientSession, ClientSetup, ClientStateOf, ClientStep } from './state.ts';

/** The one nonce of each box key: a key seals one message, a resend is the same bytes. */
export const ZERO_NONCE: Uint8Array = new Uint8Array(12);

/** Takes the roster and answers with the shares. */
export function shareSecrets(
  setup: ClientSetup,
  state: ClientStateOf<'awaiting-roster'>,
  message: Uint8Array,
  nowMs: number,
): ClientStep {
  const { crypto, random } = setup;
  const session = acceptRoster(setup, state, message, nowMs);
  const { secrets } = state;
  const secret = concat(secrets.r, secrets.b);
  const dealt = splitSecret(secret, session.threshold, session.holders.length, random);
  const mask = maskSecret(crypto, secrets.r);
  const others = session.holders.filter((holder) => holder !== session.self);
  const agreed = agreeWith(
    setup,
    secrets.channelSecret,
    others.map((holder) => session.roster[holder]!.channelKey),
  );
  const channels: (Uint8Array | undefined)[] = session.roster.map(() => undefined);
  for (const [i, holder] of others.entries()) channels[holder] = agreed[i];
  const boxes: ShareBox[] = [];
  let ownShare = new Uint8Array(0);
  for (const [k, holder] of session.holders.entries()) {
    if (holder === session.self) {
      ownShare = dealt[k]!.slice(32);
      continue;
    }
    boxes.push(sealFor({ setup, session, secrets, mask }, channels[holder]!, holder, k + 1, dealt[k]!));
  }
  wipe(secret, mask, ...dealt);
  const shares = signShares(crypto, setup.signingSeed, session.sid, { id: state.id, boxes });
  const sent = encodeShares(session.sid, shares);
  return {
    state: {
      phase: 'awaiting-delivery',
      id: state.id,
      seen: { roster: crypto.sha256(message) },
      sent,
      session,
      secrets,
      ownShare,
      channels,
    },
    outgoing: [sent],
    effects: [],
    consumed: [],
  };
}

interface Sealer {
  readonly setup: ClientSetup;
  readonly session: ClientSession;
  readonly secrets: AdvertSecrets;
  readonly mask: Uint8Array;
}

function sealFor(sealer: Sealer, agreed: Uint8Array, holder: number, x: number, share: Uint8Array): ShareBox {
  const { setup, session } = sealer;
  const { crypto } = setup;
  const from = session.roster[session.self]!.id;
  const to = session.roster[holder]!;
  const kem = setup.context.suite === 'x25519' ? undefined : encapsulateFor(sealer, holder);
  const key = channelKey(crypto, session.sid, agreed, kem?.channelSecret, from, to.id);
  const kemCiphertexts = kem?.ciphertexts ?? [];
  const plaintext = kem?.confirmation === undefined ? share : concat(share, kem.confirmation);
  const sealed = crypto.aes256GcmSeal(key, ZERO_NONCE, boxAad(session.sid, from, to.id, x, kemCiphertexts), plaintext);
  wipe(key, kem?.channelSecret, kem?.confirmation === undefined ? undefined : plaintext);
  return { peer: to.id, kemCiphertexts, sealed };
}

/** Hybrid suite: the channel's encapsulation, and from the lower id to the higher one the mask's, with its confirmation. */
function encapsulateFor(
  { setup, session, secrets, mask }: Sealer,
  holder: number,
): {
  readonly ciphertexts: readonly Uint8Array[];
  readonly channelSecret: Uint8Array;
  readonly confirmation: Uint8Array | undefined;
} {
  const { crypto, random } = setup;
  const self = session.roster[session.self]!;
  const peer = session.roster[holder]!;
  const channelCoins = randomBytes(random, 32);
  const channel = crypto.mlKem768Encapsulate(peer.kemKeys[0]!, channelCoins);
  wipe(channelCoins);
  if (channel === undefined) throw new RoundAbort('bad-key', `the encapsulation key of ${peer.id} is not usable`, [peer.id]);
  if (session.self > holder) {
    return { ciphertexts: [channel.ciphertext], channelSecret: channel.sharedSecret, confirmation: undefined };
  }
  const coins = maskCoins(crypto, secrets.r, session.sid, peer.id);
  const kem = crypto.mlKem768Encapsulate(peer.kemKeys[1]!, coins);
  wipe(coins);
  if (kem === undefined) throw new RoundAbort('bad-key', `the encapsulation key of ${peer.id} is not usable`, [peer.id]);
  const agreed = agreeWith(setup, mask, [peer.maskKey])[0]!;
  const pair = pairKey(crypto, session.sid, agreed, self.id, peer.id, { secret: kem.sharedSecret, ciphertext: kem.ciphertext });
  const confirmation = pairConfirmation(crypto, pair);
  wipe(agreed, pair, kem.sharedSecret);
  return { ciphertexts: [channel.ciphertext, kem.ciphertext], channelSecret: channel.sharedSecret, confirmation };
}

/** X25519 with keys that were checked already: a refusal means that the check and the provider disagree. */
export function agreeWith(setup: ClientSetup, secret: Uint8Array, publicKeys: readonly Uint8Array[]): readonly Uint8Array[] {
  return setup.crypto.x25519Each(secret, publicKeys).map((agreed) => {
    if (agreed === undefined) throw new RoundAbort('bad-key', 'a key agreement gave no secret');
    return agreed;
  });
}
