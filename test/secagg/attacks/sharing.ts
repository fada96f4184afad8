/** Attacks on the sharing itself: fewer shares than the threshold, and errors that are chosen so that a shorter look does not see them. */
import assert from 'node:assert/strict';
import { unsafeDeterministicRandom } from '../../../packages/core/src/unsafe-deterministic-random.ts';
import { addMultiple, gf256, gf65536, invert, multiply, toBytes, toWords } from '../../../packages/secagg/src/field.ts';
import { decodeUnmask, encodeUnmask, signUnmask } from '../../../packages/secagg/src/messages/unmask.ts';
import { dualMultipliers, findWrongShares, sharesAgree } from '../../../packages/secagg/src/reed-solomon.ts';
import { combineShares, lagrangeAtZero, splitSecret } from '../../../packages/secagg/src/shamir.ts';
import { crypto, identityOf, plainSum } from '../network.ts';
import type { Attack } from './attack.ts';
import { tampered } from './server.ts';

const pointsOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const secret = Uint8Array.from({ length: 32 }, (_, i) => 3 * i + 1);

/**
 * Errors at `places` (an error of `size` elements each) that the first `places.length − 1` syndromes do not see: a word of the code that those
 * syndromes alone would check, with no other element than these. Errors at fewer places than syndromes are always seen.
 */
function unseen(points: readonly number[], places: readonly number[], size: number): ReadonlyMap<number, Uint8Array> {
  const all = dualMultipliers(gf256, points);
  const few = dualMultipliers(
    gf256,
    places.map((place) => points[place]!),
  );
  return new Map(
    places.map((place, i) => {
      const factor = multiply(gf256, few[i]!, invert(gf256, all[place]!));
      return [place, Uint8Array.from({ length: size }, (_, e) => multiply(gf256, factor, (e % 255) + 1))];
    }),
  );
}

const added = (share: Uint8Array, error: Uint8Array): Uint8Array => share.map((byte, i) => byte ^ error[i]!);

export const sharingAttacks: readonly Attack[] = [
  {
    name: 'a secret from one share fewer than the threshold',
    run() {
      for (const [t, m] of [
        [2, 3],
        [3, 4],
        [5, 7],
        [4, 300],
      ] as const) {
        const shares = splitSecret(secret, t, m, unsafeDeterministicRandom(`split ${t}`));
        const open = (count: number): Uint8Array => {
          const points = pointsOf(count);
          const field =
            m > 255 ? { ...gf256, bits: 16 as const, polynomial: 0x1100b, bodyMask: 0x7fff7fff, unitMask: 0x10001 } : gf256;
          return combineShares(field, shares.slice(0, count), lagrangeAtZero(field, points));
        };
        assert.deepEqual(open(t), secret);
        // Exactly 32 elements that all happen to be right would come once in 2^256 times.
        assert.notDeepEqual(open(t - 1), secret, `${t - 1} of ${t}`);
      }
    },
  },
  {
    name: 'up to eight wrong shares that cancel in seven syndromes',
    run() {
      const [t, m] = [17, 40];
      const points = pointsOf(m);
      const shares = splitSecret(secret, t, m, unsafeDeterministicRandom('cancel'));
      const multipliers = dualMultipliers(gf256, points);
      const agree = (some: readonly Uint8Array[]): boolean => sharesAgree(gf256, points, multipliers, some, t);
      assert.equal(agree(shares), true);
      for (let weight = 1; weight <= 8; weight++) {
        // The worst errors of this weight: one syndrome fewer than there are wrong shares sees nothing.
        const errors = unseen(points, pointsOf(weight), 32);
        assert.equal(
          agree(shares.map((share, i) => (errors.has(i) ? added(share, errors.get(i)!) : share))),
          false,
          `${weight} wrong`,
        );
      }
      // Nine that know of one another are beyond what the quick look promises; decoding sees them.
      const nine = unseen(points, pointsOf(9), 32);
      const shown = shares.map((share, i) => (nine.has(i) ? added(share, nine.get(i)!) : share));
      assert.equal(agree(shown), true);
      assert.deepEqual(findWrongShares(gf256, points, shown, t), [...nine.keys()]);
      // With less redundancy than eight there are as many syndromes as shares too many.
      for (const spare of [1, 2, 5]) {
        const part = pointsOf(t + spare);
        const errors = unseen(part, pointsOf(spare), 32);
        const some = shares.slice(0, t + spare).map((share, i) => (errors.has(i) ? added(share, errors.get(i)!) : share));
        assert.equal(sharesAgree(gf256, part, dualMultipliers(gf256, part), some, t), false, `${spare} spare`);
        const right = shares.slice(0, t + spare);
        assert.equal(sharesAgree(gf256, part, dualMultipliers(gf256, part), right, t), true);
      }
    },
  },
  {
    name: 'colluding holders whose errors cancel: the sum is exact, and they do not go unnoticed',
    run() {
      // n = 7, c = 2, t = 5: the last two of seven answers are wrong, and their first syndrome is zero.
      const ids = ['anna', 'bert', 'carl', 'dora', 'emil', 'fred', 'gina'];
      const errors = unseen(pointsOf(7), [5, 6], 32);
      const run = tampered(ids, {
        unmask(id, message, server) {
          const error = errors.get(ids.indexOf(id));
          if (error === undefined) return message;
          const { sid } = server.state.session!;
          const shares = decodeUnmask(sid, { nMax: 10, suite: 'x25519' }, message).shares.map((opened) =>
            opened.dealer === 'carl' ? { ...opened, share: added(opened.share, error) } : opened,
          );
          return encodeUnmask(sid, signUnmask(crypto, identityOf(id).signingSeed, sid, { id, shares }));
        },
      });
      assert.deepEqual(run.server.result?.sums, plainSum(run, ids));
      // Two of seven are more than can be told; the dealer is named with all who opened a share of its own.
      const blamed = run.server.incidents.filter((incident) => incident.kind === 'bad-share');
      assert.deepEqual(
        blamed.map(({ parties }) => parties),
        [['carl', ...ids.filter((id) => id !== 'carl')]],
      );
    },
  },
  {
    name: 'wrong shares beyond what can be told are not taken for others',
    run() {
      const random = unsafeDeterministicRandom('beyond');
      let told = 0;
      for (let round = 0; round < 120; round++) {
        const [t, m] = [4, 10];
        const shares = splitSecret(secret.subarray(0, 4), t, m, random);
        for (let place = 0; place <= round % 6; place++) random.fill(shares[place]!);
        const points = pointsOf(m);
        const found = findWrongShares(gf256, points, shares, t);
        if (found === undefined) continue;
        told++;
        const left = points.filter((_, i) => !found.includes(i));
        const rest = shares.filter((_, i) => !found.includes(i));
        assert.ok(sharesAgree(gf256, left, dualMultipliers(gf256, left), rest, t));
      }
      assert.ok(told > 40);
      // Three of ten can be told. Three wrong in one element and a fourth in the next are one too many, though each element by itself decodes.
      const shares = splitSecret(secret, 4, 10, random);
      const spoil = (place: number, at: number): unknown => (shares[place]![at]! ^= 0x55);
      for (const place of [0, 1, 2]) spoil(place, 0);
      assert.deepEqual(findWrongShares(gf256, pointsOf(10), shares, 4), [0, 1, 2]);
      spoil(3, 1);
      assert.equal(findWrongShares(gf256, pointsOf(10), shares, 4), undefined);
      // Elements of two bytes: an error in either of them.
      for (const at of [4, 5]) {
        const wide = splitSecret(secret, 290, 300, random);
        wide[7]![at]! ^= 1;
        assert.deepEqual(findWrongShares(gf65536, pointsOf(300), wide, 290), [7]);
      }
    },
  },
  {
    name: 'an evaluation point twice, or a secret of no whole words',
    run() {
      assert.throws(() => lagrangeAtZero(gf256, [1, 2, 1]), /twice/);
      const random = unsafeDeterministicRandom('sizes');
      assert.throws(() => splitSecret(new Uint8Array(5), 2, 3, random), /multiple of 4/);
      assert.throws(() => splitSecret(new Uint8Array(0), 2, 3, random), /multiple of 4/);
      assert.throws(() => splitSecret(new Uint8Array(4), 4, 3, random), /t is 4/);
      assert.throws(() => splitSecret(new Uint8Array(4), 1, 0x10000, random), /m is 65536/);
      // Lanes: a factor times words is what it is element by element.
      const sum = new Uint32Array(1);
      addMultiple(gf256, sum, toWords(Uint8Array.of(1, 2, 3, 4)), 5);
      assert.deepEqual(
        [...toBytes(sum)],
        [1, 2, 3, 4].map((byte) => multiply(gf256, byte, 5)),
      );
    },
  },
];
