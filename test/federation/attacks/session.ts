/** Whom a client believes to be its coordinator, over real TLS: an input that reaches another one is lost. */
import assert from 'node:assert/strict';
import type { CryptoProvider } from '../../../packages/core/src/crypto.ts';
import { nodeCrypto } from '../../../packages/secagg/src/node/index.ts';
import { type Defer, Scene, fourIds, tinyPlan } from '../scene.ts';
import type { Attack } from './attack.ts';

/** Signs something else than the plan that it shows. */
const forgetful: CryptoProvider = {
  ...nodeCrypto,
  ed25519Sign: (seed, message) =>
    nodeCrypto.ed25519Sign(seed, Buffer.from(message).includes('sotto plan/1') ? new Uint8Array(3) : message),
};

interface Deceit {
  readonly coordinator?: { readonly crypto?: CryptoProvider };
  /** Configuration of the client, once the coordinator is there. */
  readonly config?: (scene: Scene) => object;
}

/** A round of four in which no input of `ann` may reach the coordinator. */
function unheard(name: string, { coordinator = {}, config }: Deceit): Attack {
  return {
    name,
    run: async (defer: Defer) => {
      const scene = new Scene(defer, tinyPlan({ rounds: 1, deadlines: { joinMs: 1_500 } }));
      await scene.authority();
      const heard = new Set<string>();
      await scene.coordinator({
        ...coordinator,
        onReceived: (_, { method, peer }) => {
          if (method.endsWith('/MaskedInput')) heard.add(peer);
        },
      });
      const client = scene.client('ann', config === undefined ? {} : { config: config(scene) });
      const rest = fourIds.slice(1).map((id) => scene.client(id).finished);
      await Promise.race([client.finished, Promise.all(rest)]).catch(() => undefined);
      assert.equal(heard.has('ann'), false, 'an input reached the wrong coordinator');
    },
  };
}

export const sessionAttacks: readonly Attack[] = [
  unheard('a plan that the coordinator did not sign', { coordinator: { crypto: forgetful } }),
  unheard('a coordinator with another id than the one that was meant', { config: () => ({ coordinatorId: 'headquarters' }) }),
  unheard('a coordinator that this site has revoked', {
    config: ({ book }) => ({
      policy: { revoked: book.events('party.enrolled').flatMap(({ id, serial }) => (id === 'coordinator' ? [serial] : [])) },
    }),
  }),
];
