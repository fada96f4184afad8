import { describe, onTestFinished, test } from 'vitest';
import type { Attack } from './attacks/attack.ts';
import { policyAttacks } from './attacks/policy.ts';
import { roundAttacks } from './attacks/round.ts';
import { sessionAttacks } from './attacks/session.ts';
import type { Defer } from './scene.ts';

const defer: Defer = (end) =>
  onTestFinished(async () => {
    await end();
  });

const withstood = (attack: Attack): void => test(attack.name, () => attack.run(defer));

describe('a coordinator that asks for what the site forbids', () => {
  policyAttacks.forEach(withstood);
});
describe('a coordinator, a disk or a crash against one round of a client', () => {
  roundAttacks.forEach(withstood);
});

describe('somebody else in the place of the coordinator', () => {
  sessionAttacks.forEach(withstood);
});
