/**
 * The parts of secure aggregation that need Node: the crypto provider on `node:crypto`.
 *
 * @module
 */
export { nodeCrypto } from './crypto-node.ts';
