import type { Defer } from '../scene.ts';

/** What a hostile coordinator tries with one hospital's client. `run` throws where it gets what it must not get. */
export interface Attack {
  readonly name: string;
  run(defer: Defer): Promise<void>;
}
