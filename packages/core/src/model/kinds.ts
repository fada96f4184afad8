/**
 * The layer kinds that can be trained privately, and why others can't.
 *
 * @module
 */
import { activation } from './layers/activation.ts';
import { advancedActivationKinds } from './layers/advanced-activations.ts';
import { multiHeadAttention } from './layers/attention.ts';
import { conv1d, conv2d } from './layers/conv2d.ts';
import { dense } from './layers/dense.ts';
import { depthwiseConv2d, separableConv2d } from './layers/depthwise.ts';
import { dropout } from './layers/dropout.ts';
import { embedding, positionEmbedding } from './layers/embedding.ts';
import { mergingKinds } from './layers/merging.ts';
import { normalisationKinds } from './layers/normalisation.ts';
import { poolingKinds } from './layers/pooling.ts';
import { shapingKinds } from './layers/shaping.ts';
import type { LayerKind } from './types.ts';

const kinds: readonly LayerKind[] = [
  dense,
  conv1d,
  conv2d,
  depthwiseConv2d,
  separableConv2d,
  embedding,
  positionEmbedding,
  multiHeadAttention,
  activation,
  ...advancedActivationKinds,
  ...normalisationKinds,
  ...poolingKinds,
  ...shapingKinds,
  ...mergingKinds,
  dropout,
];

/** Kinds by tfjs class name. */
export const layerKinds: ReadonlyMap<string, LayerKind> = new Map(kinds.map((kind) => [kind.className, kind]));

/** What to do instead of kinds that have no private gradient, or none yet. */
export const refusedKinds: Readonly<Record<string, string>> = {
  BatchNormalization:
    'it mixes the examples of a batch, so that one example changes the gradients of all; use groupNormalization or freeze the layer',
  SimpleRNN: 'recurrent layers are not implemented; use convolutions or attention over the sequence',
  LSTM: 'recurrent layers are not implemented; use convolutions or attention over the sequence',
  GRU: 'recurrent layers are not implemented; use convolutions or attention over the sequence',
  Conv3D: 'three-dimensional convolutions are not implemented; fold one axis into the channels',
  Conv2DTranspose: 'transposed convolutions are not implemented; use upsampling by a dense layer',
  Conv3DTranspose: 'transposed convolutions are not implemented; use upsampling by a dense layer',
};
