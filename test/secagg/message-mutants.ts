/** The mutants of the checks of single messages; their attacks are in `attacks/messages.ts`. */
import type { Mutant } from './mutants.ts';

const OFF = 'if (false)';
const all = (
  attack: string,
  rows: readonly (readonly [name: string, file: string, find: string, replace?: string])[],
): Mutant[] => rows.map(([name, file, find, replace]) => ({ name, attack, edits: [{ file, find, replace: replace ?? OFF }] }));

export const messageMutants: readonly Mutant[] = [
  ...all('a receipt about other survivors, of another signer, or with a worthless certificate', [
    ['receipt: root of U2', 'client/unmask.ts', '!equalBytes(receipt.rootU2, statement.rootU2) || ', ''],
    ['receipt: number of survivors', 'client/unmask.ts', ' || receipt.survivors !== statement.survivors', ''],
    [
      'receipt: signature',
      'client/unmask.ts',
      'if (!verifyReceipt(setup.crypto, setup.context.coordinatorKey, session.sid, receipt))',
    ],
    ['receipt: certificate', 'client/unmask.ts', "if (setup.context.mode === 'malicious')"],
    ['receipt: a verified name with another signature', 'client/unmask.ts', ' && equalBytes(before, signature)', ''],
  ]),
  {
    name: 'holders in U1',
    attack: 'a U1 that leaves a client too few holders',
    edits: [
      { file: 'parameters.ts', find: 'export const COMPLETE_GRAPH_MAX = 512;', replace: 'export const COMPLETE_GRAPH_MAX = 16;' },
      { file: 'client/input.ts', find: 'if (holders < session.threshold)', replace: OFF },
    ],
  },
  {
    name: 'holders in U1, with the check on the sparse graph',
    attack: 'a U1 that leaves a client too few holders',
    harmless: true,
    edits: [
      { file: 'parameters.ts', find: 'export const COMPLETE_GRAPH_MAX = 512;', replace: 'export const COMPLETE_GRAPH_MAX = 16;' },
    ],
  },
  ...all('a box from the client itself or from outside U1', [
    ['box of a stranger to U1', 'client/input.ts', 'place === undefined || place === session.self', 'place === session.self'],
    ['box of the client itself', 'client/input.ts', 'place === undefined || place === session.self', 'place === undefined'],
  ]),
  ...all('bytes that are no message of this version', [
    ['client: version and type of a message', 'client/machine.ts', 'if (name === undefined)'],
    ['decoder: version', 'messages/wire.ts', 'if (version !== WIRE_VERSION)'],
    ['decoder: type', 'messages/wire.ts', 'if (type !== MESSAGE_TYPES[name])'],
  ]),
  ...all('fields of the wrong number, length or kind', [
    ['decoder: number of vectors', 'messages/input.ts', 'if (count !== vectors.length)'],
    [
      'decoder: length of a vector',
      'messages/wire.ts',
      'const value = reader.view(length);\n  if (value.length !== length)',
      'const value = reader.view(length);\n  if (false)',
    ],
    ['decoder: length of a sealed share', 'messages/share.ts', 'if (!SEALED_BYTES.includes(box.sealed.length))'],
    ['decoder: empty id', 'messages/wire.ts', 'if (id.length === 0)'],
    ['decoder: kind of a share', 'messages/unmask.ts', 'if (kind > 1)'],
    ['decoder: number of encapsulation keys', 'messages/advertise.ts', 'if (advert.kemKeys.length !== kemCount)'],
  ]),
  ...all('an encapsulation key that fails the modulus check', [
    ['roster: modulus check', 'roster.ts', "if (suite === 'x25519-mlkem768' && !advert.kemKeys.every(isGoodKemKey))"],
  ]),
  ...all('cohorts and graphs that no round may have', [
    ['parameters: nMax', 'parameters.ts', 'if (n > rule.nMax)'],
    ['context: size of the complete graph', 'context.ts', 'if (context.cohort.nMax > COMPLETE_GRAPH_MAX)'],
    ['context: sparse and malicious', 'context.ts', "if (context.mode === 'malicious') {\n    throw", 'if (false) {\n    throw'],
    ['graph: sparse and malicious', 'graph.ts', " || mode !== 'semi-honest'", ''],
    ['graph: rule', 'graph.ts', "graph.kind !== 'harary' || ", ''],
    ['graph: no solution', 'graph.ts', 'if (found === undefined)'],
    ['policy: its own floor of honest inputs', 'policy.ts', 'if (policy.minHonest < 2)'],
    ['policy: suite', 'policy.ts', 'if (policy.suites !== undefined && !policy.suites.includes(context.suite))'],
  ]),
  ...all('members beyond nMax, senders outside the roster or under another name', [
    ['server: room in the roster', 'server/advertise.ts', 'if (state.adverts.size >= cohort.nMax)'],
    ['server: sender in the roster', 'server/share.ts', 'if (place === undefined)'],
    ['server: sender under its own name', 'server/share.ts', 'if (claimed !== from)'],
  ]),
  ...all('boxes of another form than the suite has', [
    ['server: form of a box', 'server/share.ts', ' || box.sealed.length !== SEALED_BYTES[lower ? 1 : 0]', ''],
  ]),
  ...all('an input from outside U1, after leaving, or with an impossible list of missing shares', [
    ['server: sender of an input in U1', 'server/input.ts', 'if (!state.shares.has(from))'],
    ['server: sender of an input has not left', 'server/input.ts', 'if (state.left.has(from))'],
    ['server: missing share of the sender itself', 'server/input.ts', 'id === from || ', ''],
    ['server: missing share of a stranger', 'server/input.ts', ' || !state.shares.has(id)', ''],
  ]),
  ...all('a complaint after the input, about nobody, or not signed', [
    ['server: complaint before the input', 'server/input.ts', 'if (state.inputs.has(from))'],
    ['server: complaint about a member of U1', 'server/input.ts', 'if (!state.shares.has(complaint.about))'],
    ['server: complaint about a lower id', 'server/input.ts', 'if (session.places.get(complaint.about)! >= place)'],
    ['server: complaint in the hybrid suite', 'server/input.ts', "if (setup.context.suite === 'x25519')"],
    [
      'server: signature of a complaint',
      'server/input.ts',
      'if (!verifyComplaint(setup.crypto, session.signingKeys[place]!, session.sid, complaint))',
    ],
  ]),
  ...all('a confirmation or an answer from outside U2, or of other survivors', [
    ['server: sender of a confirmation in U2', 'server/confirm.ts', 'if (!state.inputs.has(from))'],
    [
      'server: signature of a confirmation',
      'server/confirm.ts',
      'if (!verifyConfirmation(setup.crypto, session.signingKeys[place]!, certified(state), confirmation.signature))',
    ],
    ['server: sender of an answer in U2', 'server/unmask.ts', 'if (!state.inputs.has(from))'],
  ]),
  ...all('too few members at the end of a stage', [
    ['server: F members in U1', 'server/share.ts', 'if (u1.length < session.parameters.F)'],
    ['server: F members in U2', 'server/input.ts', 'if (u2.length < session.parameters.F)'],
    ['server: T confirmations', 'server/confirm.ts', 'if (confirmations.length < T)'],
    ['server: t answers', 'server/recovery.ts', 'if (opened.length < t)'],
  ]),
  ...all('a dealer whose shares agree on another b than it advertised', [
    [
      'recovery: what is right after decoding',
      'server/recovery.ts',
      'if (this.#isRight(wanted, second)) return second;',
      'return second;',
    ],
  ]),
];
