/** Checks on each of which, alone, an input depends: taken out, the attack of the same row reads it. */
import type { Edit, Mutant } from './mutants.ts';

const OFF = 'if (false)';
const leak = (
  name: string,
  attack: string,
  ...edits: readonly (readonly [file: string, find: string, replace: string])[]
): Mutant => ({
  name: `leak: ${name}`,
  attack,
  consequence: /is read/,
  edits: edits.map(([file, find, replace]): Edit => ({ file, find, replace })),
});

export const consequenceMutants: readonly Mutant[] = [
  leak('signatures of adverts', 'surrounded by adverts that nobody signed: the input comes out', [
    'roster.ts',
    'if (!verifyAdvert(setup.crypto, certificate.signingKey, ctx, advert))',
    OFF,
  ]),
  leak('validity of certificates', 'surrounded by keys whose certificates have expired: the input comes out', [
    'roster.ts',
    '    nowMs,\n',
    '',
  ]),
  leak('revocation', 'surrounded by keys that were revoked: the input comes out', [
    'roster.ts',
    'revokedSerials: setup.revokedSerials }',
    '}',
  ]),
  leak('role in certificates', 'surrounded by coordinators in the guise of clients: the input comes out', [
    'roster.ts',
    "    role: 'client',\n",
    '',
  ]),
  leak('id in certificates', 'surrounded by others under the names of peers: the input comes out', [
    'roster.ts',
    '    id: advert.id,\n',
    '',
  ]),
  leak('peers of the site', 'surrounded by enrolled clients that are no peers: the input comes out', [
    'policy.ts',
    'if (stranger !== undefined)',
    OFF,
  ]),
  leak('F members of U2', 'a U2 below F: a sum over fewer than F − c honest inputs comes out', [
    'client/confirm.ts',
    'if (u2.length < F)',
    OFF,
  ]),
  leak(
    'T and t above half of n + c',
    'two survivor sets, each certified by half of the honest members: the input between them comes out',
    ['parameters.ts', 'const T = floorQuotient(n + c, 2) + 1;', 'const T = floorQuotient(n + c, 2);'],
    ['graph.ts', "if (context.mode === 'malicious' && 2 * t <= n + c)", OFF],
  ),
  leak('the answered record', 'processes restored to before U2 and asked again for another: both secrets of a member come out', [
    'client/unmask.ts',
    "effects: [{ type: 'record', record: 'answered', key: answeredKey(session.sid) }]",
    'effects: []',
  ]),
  leak('the contributed record', 'the round again without one member: the difference of the sums is its input', [
    'client/input.ts',
    "effects: [{ type: 'record', record: 'contributed', key: contributedKey(context) }]",
    'effects: []',
  ]),
  leak('one input whatever the attempt', 'the round again without one member: the difference of the sums is its input', [
    'client/input.ts',
    'key: contributedKey(context)',
    'key: `${contributedKey(context)} ${context.attempt}`',
  ]),
];
