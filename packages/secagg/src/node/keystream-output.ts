/**
 * What becomes of the buffers in which `node:crypto` returns keystream.
 *
 * @module
 */

/** Whether this runtime can give a buffer's memory back at once (Node 22 and later). */
const CAN_RELEASE = typeof ArrayBuffer.prototype.transfer === 'function';

/**
 * Copies what a cipher returned to the start of `target` and gets rid of it: overwritten, as it is secret, and given back to
 * the allocator at once. Left to the collector, every chunk would be fresh memory whose pages have to be faulted in, and a
 * second core would be busy collecting; together that costs as much as the cipher.
 */
export function takeKeystream(output: Buffer, target: Uint8Array, offset: number = 0): void {
  target.set(output, offset);
  output.fill(0);
  const { buffer } = output;
  if (CAN_RELEASE && buffer instanceof ArrayBuffer && buffer.byteLength === output.length) buffer.transfer(0);
}
