import { describe, it } from 'vitest';
import { consequenceAttacks } from './attacks/consequences.ts';
import { messageAttacks } from './attacks/messages.ts';
import { peerFaults } from './attacks/peers.ts';
import { rosterAttacks } from './attacks/roster.ts';
import { serverAttacks } from './attacks/server.ts';
import { sharingAttacks } from './attacks/sharing.ts';
import { shapeAttacks } from './attacks/shapes.ts';
import { survivorAttacks } from './attacks/survivors.ts';
import { wipingAttacks } from './attacks/wiping.ts';

describe('a malicious coordinator with one colluding client', () => {
  for (const attack of [...rosterAttacks, ...survivorAttacks]) it(attack.name, () => attack.run());
});

describe('malicious clients and an honest coordinator', () => {
  for (const attack of serverAttacks) it(attack.name, () => attack.run());
});

describe('single messages that are changed', () => {
  for (const attack of shapeAttacks) it(attack.name, () => attack.run());
  for (const attack of messageAttacks) it(attack.name, () => attack.run());
});

describe('attacks carried through', () => {
  for (const attack of consequenceAttacks) it(attack.name, () => attack.run());
});

describe('shares and decoding', () => {
  for (const attack of sharingAttacks) it(attack.name, () => attack.run());
});

describe('memory after the end', () => {
  for (const attack of wipingAttacks) it(attack.name, () => attack.run());
});

describe('the faults of other systems', () => {
  for (const attack of peerFaults) it(attack.name, () => attack.run());
});
