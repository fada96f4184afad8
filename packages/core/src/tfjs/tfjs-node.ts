/**
 * TensorFlow's own library beneath TensorFlow.js, where the user installed it: `@tensorflow/tfjs-node` (CPU) or `@tensorflow/tfjs-node-gpu` (CUDA).
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import process from 'node:process';
import util from 'node:util';
import { SottoError } from '../errors.ts';
import { keepFullPrecision } from '../onnx/full-precision.ts';

/** Which of the two packages, and where it lies. */
export interface TfjsNodeOptions {
  /** The CUDA package. Default false. */
  readonly gpu?: boolean;
  /**
   * A folder whose `node_modules` holds the package, such as one that `scripts/tfjs-node-from-wheel.mjs` filled. Default: the environment variable
   * `SOTTO_TFJS_NODE`, else this package's own place.
   */
  readonly folder?: string;
}

type Legacy = Omit<typeof util, 'isArray'> & {
  isNullOrUndefined?: (value: unknown) => boolean;
  isArray?: (value: unknown) => boolean;
};

/**
 * Loads TensorFlow's binding, makes it the backend of TensorFlow.js in this process and returns TensorFlow's version. Throws `unavailable` where the package
 * or its binding is missing, with the cure; nothing has changed then.
 */
export async function loadTfjsNode(options: TfjsNodeOptions = {}): Promise<string> {
  const name = options.gpu === true ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
  // The package calls a function that Node 23 removed and one that warns. Both must be in place before the first operation.
  const legacy = util as Legacy;
  legacy.isNullOrUndefined = (value) => value === null || value === undefined;
  legacy.isArray = Array.isArray;
  const folder = options.folder ?? process.env['SOTTO_TFJS_NODE'];
  const require = createRequire(folder === undefined ? import.meta.url : join(resolve(folder), 'package.json'));
  if (options.gpu === true) keepFullPrecision();
  const quiet = tf.env().getBool('PROD');
  try {
    // Two copies of a backend warn of each kernel that both bring.
    tf.env().set('PROD', true);
    require(name);
  } catch (reason) {
    const missing = (reason as { code?: unknown }).code === 'MODULE_NOT_FOUND' && String(reason).includes(`'${name}'`);
    const message = reason instanceof Error ? reason.message.split('\n')[0]! : String(reason);
    throw new SottoError(
      'unavailable',
      missing
        ? `the package ${name} is not installed; nothing else needs it. docs/engines.md tells how to install it or to build its binding`
        : `${name} is installed, but its native binding did not load (${message}); docs/engines.md tells how to build it`,
      { cause: reason },
    );
  } finally {
    tf.env().set('PROD', quiet);
  }
  if (tf.findBackend('tensorflow') === null) {
    throw new SottoError(
      'unavailable',
      `${name} registered with another copy of @tensorflow/tfjs-core than the one that Sotto uses; install one version of it only`,
    );
  }
  await tf.setBackend('tensorflow');
  const { binding } = tf.backend() as unknown as { readonly binding: { readonly TF_Version: string } };
  return binding.TF_Version;
}
