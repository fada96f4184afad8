/**
 * What a third party can check of a blame: from signed messages alone, that the shares opened for one dealer do not fit
 * together, and which holders opened those that stand out. Who lied, dealer or holder, no message can tell. Nor need those be
 * right who agree: colluding holders answer last, and whoever collects the answers chooses which of them to show. The evidence
 * points at those who stand out only where t + c answers agree, of which t are honest and fix the dealer's polynomial.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { contextHash, sessionId } from '../context.ts';
import type { RoundContext } from '../context.ts';
import { fieldFor } from '../field.ts';
import { sharingGraph } from '../graph.ts';
import { decodeRoster, rosterRoot } from '../messages/advertise.ts';
import { decodeShares, verifyShares } from '../messages/share.ts';
import { decodeUnmask, verifyUnmask } from '../messages/unmask.ts';
import { roundParameters } from '../parameters.ts';
import { findWrongShares } from '../reed-solomon.ts';
import { checkAdvert } from '../roster.ts';
import type { RosterTrust } from '../roster.ts';

/** The signed messages of a blame, as an incident of kind `bad-share` carries them. */
export interface BlameEvidence {
  readonly dealer: string;
  /** The roster, the dealer's round-1 message and the round-4 answers, encoded. */
  readonly evidence: readonly Uint8Array[];
}

/** What the evidence of a blame shows. */
export interface Blame {
  /** Holders whose shares of the dealer's secret stand out from the rest; none where all agree. */
  readonly holders: readonly string[];
  /**
   * Whether, with at most c members colluding, the dealer or these holders must have lied. Where it is false, so few answers agree that as many as
   * collude could have made honest ones stand out: the evidence proves that shares do not fit together, and no more.
   */
  readonly conclusive: boolean;
}

/** How many answers must agree before those that stand out are wrong whoever colludes. */
export function conclusiveAgreement(threshold: number, colluding: number): number {
  return threshold + colluding;
}

/**
 * Checks the evidence. Certificates are checked without regard to time. Throws `integrity` where a signature does not hold or the
 * shares disagree beyond what can be told, `invalid-encoding` where bytes do not decode.
 */
export function checkBlame(setup: RosterTrust, context: RoundContext, blame: BlameEvidence): Blame {
  const { crypto } = setup;
  const [rosterMessage, sharesMessage, ...answers] = blame.evidence;
  if (rosterMessage === undefined || sharesMessage === undefined) throw broken('the roster or the shares are missing');
  const ctx = contextHash(crypto, context);
  const limits = { nMax: context.cohort.nMax, suite: context.suite };
  const roster = decodeRoster(ctx, limits, rosterMessage);
  const signingKeys = roster.map((advert) => checkAdvert(setup, ctx, context.suite, advert, undefined));
  const sid = sessionId(crypto, ctx, roster.length, rosterRoot(crypto, roster));
  const ids = roster.map((advert) => advert.id);
  const parameters = roundParameters(roster.length, context.cohort);
  const graph = sharingGraph(crypto, context, parameters, sid, ids);
  const dealer = ids.indexOf(blame.dealer);
  const shares = decodeShares(sid, limits, sharesMessage);
  if (dealer < 0 || shares.id !== blame.dealer || !verifyShares(crypto, signingKeys[dealer]!, sid, shares)) {
    throw broken(`the shares are not signed by ${blame.dealer}`);
  }
  const holders = graph.holdersOf(dealer);
  const opened = answers.flatMap((message) => {
    const answer = decodeUnmask(sid, limits, message);
    const place = ids.indexOf(answer.id);
    if (place < 0 || !verifyUnmask(crypto, signingKeys[place]!, sid, answer))
      throw broken(`an answer is not signed by ${answer.id}`);
    const share = answer.shares.find((candidate) => candidate.dealer === blame.dealer);
    return share === undefined
      ? []
      : [{ holder: answer.id, kind: share.kind, point: holders.indexOf(place) + 1, share: share.share }];
  });
  if (new Set(opened.map((share) => share.holder)).size !== opened.length) throw broken('an answer is there twice');
  if (new Set(opened.map((share) => share.kind)).size > 1) throw broken('the answers open shares of both kinds');
  const wrong = findWrongShares(
    fieldFor(holders.length),
    opened.map((share) => share.point),
    opened.map((share) => share.share),
    graph.threshold,
  );
  if (wrong === undefined) throw broken(`too many of the shares of ${blame.dealer} disagree to tell which`);
  return {
    holders: wrong.map((place) => opened[place]!.holder),
    conclusive: opened.length - wrong.length >= conclusiveAgreement(graph.threshold, parameters.c),
  };
}

function broken(reason: string): SottoError {
  return new SottoError('integrity', `the blame does not hold: ${reason}`);
}
