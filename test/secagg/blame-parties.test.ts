/** Who is named when a round goes wrong: where the messages cannot tell which of two parties lied, never one of them alone. */
import { describe, expect, it } from 'vitest';
import { encodeComplaint, signComplaint } from '../../packages/secagg/src/messages/complaint.ts';
import { decodeUnmask, encodeUnmask, signUnmask } from '../../packages/secagg/src/messages/unmask.ts';
import { tampered } from './attacks/server.ts';
import { crypto, identityOf } from './network.ts';
import type { TestServer } from './network.ts';

const FIVE = ['anna', 'bert', 'carl', 'dora', 'emil'];
const HYBRID = { suite: 'x25519-mlkem768' } as const;

function complaintOf(server: TestServer, from: string, about: string): Uint8Array {
  const { sid } = server.state.session!;
  return encodeComplaint(sid, signComplaint(crypto, identityOf(from).signingSeed, sid, from, about));
}

describe('a round without a sum', () => {
  it('whose shares cannot be told right from wrong names the dealer and all who opened one', () => {
    const run = tampered(FIVE, {
      unmask: (from, message, server) => {
        if (from !== 'bert') return message;
        const { sid } = server.state.session!;
        const { shares } = decodeUnmask(sid, { nMax: 10, suite: 'x25519' }, message);
        const wrong = shares.map((opened) =>
          opened.dealer === 'carl' ? { ...opened, share: opened.share.map((byte) => byte ^ 1) } : opened,
        );
        return encodeUnmask(sid, signUnmask(crypto, identityOf('bert').signingSeed, sid, { id: 'bert', shares: wrong }));
      },
    });
    expect(run.server.state.abort).toMatchObject({ code: 'recovery-failed' });
    // carl is honest; bert lied. Five answers with t = 4 do not tell who.
    const named = ['carl', 'anna', 'bert', 'dora', 'emil'];
    expect(run.server.state.abort?.parties).toEqual(named);
    const incident = run.server.incidents.find(({ kind }) => kind === 'unrecoverable');
    expect(incident?.parties).toEqual(named);
    expect(incident?.message).toMatch(/the dealer lied, or some of those who opened them/);
  });

  it('because of a false complaint names who complained as well', () => {
    const run = tampered(
      FIVE,
      {
        // emil is the last to answer: anna's input is in, and what it confirmed was right.
        masked: (from, message, server) => (from === 'emil' ? complaintOf(server, 'emil', 'anna') : message),
      },
      HYBRID,
    );
    expect(run.server.state.abort).toMatchObject({ code: 'mask-key-mismatch' });
    expect(new Set(run.server.state.abort?.parties)).toEqual(new Set(['anna', 'emil']));
  });
});

describe('a member that a false complaint has put out of the round', () => {
  it('is told so without being named in an incident', () => {
    const run = tampered(
      [...FIVE, 'fred', 'gina'],
      {
        masked(from, message, server) {
          if (from === 'anna') server.receive('gina', complaintOf(server, 'gina', 'anna'));
          return message;
        },
      },
      HYBRID,
    );
    expect(run.refused).toContain('masked anna unexpected-message');
    expect(
      run.server.incidents.filter(({ kind }) => kind === 'refused-message').map(({ parties }) => parties),
    ).not.toContainEqual(['anna']);
    expect(run.server.result?.members).toEqual(['bert', 'carl', 'dora', 'emil', 'fred']);
  });
});
