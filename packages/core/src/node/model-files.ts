/**
 * Models in files, as tfjs writes them: `model.json` with its topology, and binary weights beside it. Works with any backend, without tfjs-node.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { SottoError } from '../errors.ts';
import '../tfjs/layers.ts';

/** Weights that lie in some files one after the other. */
export interface WeightsGroup {
  readonly paths: readonly string[];
  readonly weights: readonly tf.io.WeightsManifestEntry[];
}

/** What a `model.json` holds. */
export interface ModelFile {
  readonly modelTopology: object;
  readonly weightsManifest?: readonly WeightsGroup[];
}

/** The file of a model: the path itself, or `model.json` where it is a folder. */
async function modelPath(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? join(path, 'model.json') : path;
}

/**
 * Reads a `model.json`, or that of a folder.
 *
 * @throws SottoError `not-found` or `invalid-encoding`, naming the file and what is wrong with it
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  const file = await modelPath(path);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new SottoError('not-found', `${file} cannot be read; give the path of a model.json, or of the folder that holds it`, {
      cause,
    });
  }
  let parsed: (Partial<ModelFile> & { readonly format?: unknown }) | null;
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch (cause) {
    throw new SottoError('invalid-encoding', `${file} is not JSON; give the path of a model.json`, { cause });
  }
  const topology: unknown = typeof parsed === 'object' ? parsed?.modelTopology : undefined;
  if (parsed?.format === 'graph-model') {
    throw new SottoError(
      'invalid-encoding',
      `${file} is a graph model, which has operations and no layers; convert the original again with --output_format=tfjs_layers_model`,
    );
  }
  if (typeof topology !== 'object' || topology === null || Array.isArray(topology)) {
    throw new SottoError(
      'invalid-encoding',
      `${file} has no modelTopology; give a model.json of a layers model, as model.save of tfjs writes it`,
    );
  }
  return parsed as ModelFile;
}

const BYTES_PER_NUMBER: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 };

/** The bytes that the listed weights take, as their file stores them; undefined where some have a type of no fixed size. */
function listedBytes(groups: readonly WeightsGroup[]): number | undefined {
  let bytes = 0;
  for (const { weights } of groups) {
    for (const { shape, dtype, quantization } of weights) {
      const each = BYTES_PER_NUMBER[quantization?.dtype ?? dtype];
      if (each === undefined) return undefined;
      bytes += each * shape.reduce((a, b) => a * b, 1);
    }
  }
  return bytes;
}

/** What is to be said about the weight files of a model. */
export interface WeightFilesReport {
  /** Whether the model can be loaded. */
  readonly ok: boolean;
  /** A sentence without a full stop. */
  readonly why: string;
}

/**
 * What is wrong with the weights that a `model.json` lists: none at all, missing files, or files of another size. Undefined where nothing is. Reads no weights.
 *
 * @throws SottoError as {@link readModelFile}
 */
export async function checkWeightFiles(path: string): Promise<WeightFilesReport | undefined> {
  const { weightsManifest } = await readModelFile(path);
  if (weightsManifest === undefined)
    return { ok: true, why: 'the file lists no weights, so a model of it begins with random ones' };
  const folder = dirname(await modelPath(path));
  let bytes = 0;
  for (const name of weightsManifest.flatMap(({ paths }) => paths)) {
    try {
      bytes += (await stat(join(folder, name))).size;
    } catch {
      return { ok: false, why: `${name} is missing; put it beside the model's file` };
    }
  }
  const wanted = listedBytes(weightsManifest);
  if (wanted === undefined || wanted === bytes) return undefined;
  return { ok: false, why: `the files have ${bytes} bytes and should have ${wanted}; copy them again` };
}

/** Registers the plain JavaScript backend where the host program has set up none. */
async function someBackend(): Promise<void> {
  const current = tf.getBackend() as string | undefined;
  if (current !== undefined && current !== '') return;
  // Says nothing about faster backends: a model is only read or written here.
  tf.env().set('PROD', true);
  await import('@tensorflow/tfjs-backend-cpu');
  await tf.ready();
}

/** Loads a model, its weights included where the file lists any. Sotto's own layers are known. */
export async function loadModelFile(path: string): Promise<LayersModel> {
  const { modelTopology, weightsManifest = [] } = await readModelFile(path);
  await someBackend();
  const folder = resolve(dirname(await modelPath(path)));
  const parts: Buffer[] = [];
  for (const name of weightsManifest.flatMap((group) => group.paths)) {
    const file = resolve(folder, name);
    // A model file must not reach for other files of its reader.
    if (!file.startsWith(folder + sep))
      throw new SottoError('invalid-encoding', `${path} lists the weights ${name}, which lie outside its folder`);
    try {
      parts.push(await readFile(file));
    } catch (cause) {
      throw new SottoError('not-found', `${file}, the weights of ${path}, cannot be read`, { cause });
    }
  }
  const bytes = Buffer.concat(parts);
  const wanted = listedBytes(weightsManifest);
  if (wanted !== undefined && wanted !== bytes.length) {
    throw new SottoError(
      'invalid-encoding',
      `the weights of ${path} have ${bytes.length} bytes and should have ${wanted}; copy them again`,
    );
  }
  const weights =
    weightsManifest.length === 0
      ? {}
      : {
          weightSpecs: weightsManifest.flatMap((group) => [...group.weights]),
          weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
        };
  try {
    return await loadLayersModel({ load: async () => ({ modelTopology, ...weights }) });
  } catch (cause) {
    throw new SottoError('invalid-encoding', `${path} cannot be loaded: ${(cause as Error).message}`, { cause });
  }
}

/** Writes a model to a folder: `model.json` and `weights.bin`. Returns the path of the former. */
export async function saveModelFile(model: LayersModel, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'model.json');
  await model.save({
    async save(artifacts) {
      const { modelTopology, weightSpecs, weightData } = artifacts;
      const bytes = tf.io.CompositeArrayBuffer.join(weightData);
      await writeFile(join(folder, 'weights.bin'), new Uint8Array(bytes));
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      await writeFile(path, `${JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest })}\n`);
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
  });
  return path;
}
