/**
 * Records that belong to users, where the user is the unit that is hidden.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { BitSource } from '../noise/bit-source.ts';
import { cutToSubset } from './subset.ts';

/** Whose records are whose: `userIds[i]` names the user of record i, by a number or a string. */
export type UserIds = ArrayLike<number> | readonly string[];

/** The records of a step, user by user. */
export interface UserBatch {
  /** Record indices; those of one user are adjacent. */
  readonly records: Uint32Array;
  /** Where each user's records end in it. */
  readonly ends: Uint32Array;
}

/** The records of each user. Private data. */
export class UserIndex {
  /** How many users there are. */
  readonly users: number;
  readonly #records: Uint32Array;
  readonly #starts: Uint32Array;

  /**
   * @param argument What the ids are called, for messages.
   * @throws SottoError `invalid-argument` where there is not one id for each record, an id is NaN, or some are numbers and others strings: 7 and '7' would be two users
   */
  constructor(userIds: UserIds, records: number, argument: string = 'userIds') {
    if (userIds.length !== records) {
      throw new SottoError(
        'invalid-argument',
        `${argument} has ${userIds.length} entries; it must have one for each of the ${records} records`,
      );
    }
    const numbers = new Map<number | string, number>();
    const owner = new Uint32Array(records);
    for (let i = 0; i < records; i++) {
      const id = userIds[i]!;
      if (typeof id !== 'string' && !Number.isFinite(id)) {
        // Its kind alone: ids are private.
        const kind = typeof id === 'number' ? 'not finite' : `of type ${typeof id}`;
        throw new SottoError('invalid-argument', `${argument}[${i}] is ${kind}; it must be a finite number or a string`);
      }
      if (typeof id !== typeof userIds[0]) {
        throw new SottoError(
          'invalid-argument',
          `${argument} has numbers and strings; 7 and '7' would count as two users, so make all of them strings`,
        );
      }
      let user = numbers.get(id);
      if (user === undefined) {
        user = numbers.size;
        numbers.set(id, user);
      }
      owner[i] = user;
    }
    this.users = numbers.size;
    this.#starts = new Uint32Array(this.users + 1);
    for (const user of owner) this.#starts[user + 1]!++;
    for (let user = 0; user < this.users; user++) this.#starts[user + 1]! += this.#starts[user]!;
    const next = this.#starts.slice();
    this.#records = new Uint32Array(records);
    owner.forEach((user, record) => {
      this.#records[next[user]!++] = record;
    });
  }

  /** The records of the given users, of each at most `bound`: a user with more takes part with a fresh random subset. */
  select(users: Uint32Array, bound: number, bits: BitSource): UserBatch {
    const ends = new Uint32Array(users.length);
    const parts: Uint32Array[] = [];
    let end = 0;
    users.forEach((user, i) => {
      const part = cutToSubset(this.#records.slice(this.#starts[user], this.#starts[user + 1]), bound, bits);
      parts.push(part);
      end += part.length;
      ends[i] = end;
    });
    const records = new Uint32Array(end);
    parts.forEach((part, i) => records.set(part, i === 0 ? 0 : ends[i - 1]));
    return { records, ends };
  }
}
