/**
 * The accountants that `epsilonOf` and `deltaOf` ask, in the order in which reports list them.
 *
 * @module
 */
import type { Accountant } from './accountant.ts';
import { approxAccountant } from './approx.ts';
import { atomAccountant } from './atoms.ts';
import { gdpAccountant } from './gdp.ts';
import { rdpAccountant } from './rdp/accountant.ts';
import { shuffleAccountant } from './shuffle.ts';
import { zcdpAccountant } from './zcdp.ts';

/** All of them. */
export const allAccountants: readonly Accountant[] = [
  gdpAccountant,
  atomAccountant,
  rdpAccountant('cks20'),
  zcdpAccountant,
  shuffleAccountant,
  approxAccountant,
];
