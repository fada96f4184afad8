/**
 * The parts of secure aggregation that need Node: the crypto provider on `node:crypto`, the fast mask kernel, and worker
 * threads for it.
 *
 * @module
 */
export { nodeCrypto } from './crypto-node.ts';
export { runMaskJobFast } from './mask-kernel.ts';
export { createMaskPool } from './mask-pool.ts';
export type { MaskPool } from './mask-pool.ts';
