/**
 * A process that masks a vector whenever it is asked to: `mask-process.ts STREAMS LENGTH`, started by `workers.ts`.
 *
 * @module
 */
import { runMaskJobFast } from '@sotto/secagg/node';
import { jobOf } from './keystream.ts';

const [streams, length] = process.argv.slice(2).map(Number);
const job = jobOf(streams!, length!, 32);
process.on('message', () => {
  runMaskJobFast(job);
  process.send?.('done');
});
