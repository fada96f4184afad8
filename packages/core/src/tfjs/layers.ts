/**
 * Layers that tfjs lacks, registered so that models with them can be built, saved, loaded and used by `predict`: group and root-mean-square
 * normalisation, position embedding and multi-head self-attention.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import { integer, positive } from '../check.ts';
import { SottoError } from '../errors.ts';

type LayerOptions = ConstructorParameters<typeof layers.Layer>[0];
type Weight = ReturnType<layers.Layer['addWeight']>;
type Shape = number[];

const one = (inputs: Tensor | Tensor[]): Tensor => (Array.isArray(inputs) ? inputs[0]! : inputs);

function shapeOf(shape: unknown): Shape {
  const list = Array.isArray((shape as unknown[])[0]) ? (shape as Shape[])[0]! : (shape as Shape);
  return list;
}

/** Options of {@link GroupNormalization}. */
export interface GroupNormalizationOptions extends NonNullable<LayerOptions> {
  /** Groups into which the channels, the last axis, are divided. Default 32. */
  readonly groups?: number;
  readonly epsilon?: number;
}

/** Normalises each example's channels in groups, over the group and all positions (Wu and He 2018). */
export class GroupNormalization extends layers.Layer {
  static readonly className = 'GroupNormalization';
  readonly #groups: number;
  readonly #epsilon: number;
  #gamma?: Weight;
  #beta?: Weight;

  constructor(options: GroupNormalizationOptions = {}) {
    super(options);
    this.#groups = integer('groups', options.groups ?? 32, 1);
    this.#epsilon = positive('epsilon', options.epsilon ?? 1e-3);
  }

  override build(inputShape: unknown): void {
    const channels = shapeOf(inputShape).at(-1)!;
    if (channels % this.#groups !== 0) {
      throw new SottoError(
        'invalid-argument',
        `groups is ${this.#groups}; it must divide the ${channels} channels of layer ${this.name}`,
      );
    }
    this.#gamma = this.addWeight('gamma', [channels], 'float32', initializers.ones());
    this.#beta = this.addWeight('beta', [channels], 'float32', initializers.zeros());
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const channels = x.shape.at(-1)!;
      const n = x.shape[0]!;
      const positions = x.size / n / channels;
      const grouped = tf.reshape(x, [n, positions, this.#groups, channels / this.#groups]);
      const { mean, variance } = tf.moments(grouped, [1, 3], true);
      const normal = tf.reshape(tf.div(tf.sub(grouped, mean), tf.sqrt(tf.add(variance, this.#epsilon))), x.shape);
      return tf.add(tf.mul(normal, this.#gamma!.read()), this.#beta!.read());
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), groups: this.#groups, epsilon: this.#epsilon };
  }
}

/** Options of {@link RmsNormalization}. */
export interface RmsNormalizationOptions extends NonNullable<LayerOptions> {
  readonly epsilon?: number;
}

/** Divides by the root mean square over the last axis and multiplies by gamma (Zhang and Sennrich 2019). */
export class RmsNormalization extends layers.Layer {
  static readonly className = 'RmsNormalization';
  readonly #epsilon: number;
  #gamma?: Weight;

  constructor(options: RmsNormalizationOptions = {}) {
    super(options);
    this.#epsilon = positive('epsilon', options.epsilon ?? 1e-6);
  }

  override build(inputShape: unknown): void {
    this.#gamma = this.addWeight('gamma', [shapeOf(inputShape).at(-1)!], 'float32', initializers.ones());
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const meanSquare = tf.mean(tf.square(x), -1, true);
      return tf.mul(tf.div(x, tf.sqrt(tf.add(meanSquare, this.#epsilon))), this.#gamma!.read());
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.#epsilon };
  }
}

/** Adds a learned vector to each position of a sequence `[steps, width]`. */
export class PositionEmbedding extends layers.Layer {
  static readonly className = 'PositionEmbedding';
  #table?: Weight;

  override build(inputShape: unknown): void {
    this.#table = this.addWeight(
      'embeddings',
      shapeOf(inputShape).slice(1),
      'float32',
      // Initial weights, before any private data: the one place where the tensor library's generator may draw.
      initializers.randomNormal({ stddev: 0.02 }),
    );
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => tf.add(one(inputs), this.#table!.read()));
  }
}

/** Options of {@link MultiHeadAttention}. */
export interface MultiHeadAttentionOptions extends NonNullable<LayerOptions> {
  readonly numHeads: number;
  /** Width of one head. */
  readonly keyDim: number;
  /** Whether a position sees itself and earlier ones only. */
  readonly causal?: boolean;
  readonly useBias?: boolean;
}

/** Self-attention over a sequence `[steps, width]`, with an optional mask input `[steps]` that is 0 on padding. */
export class MultiHeadAttention extends layers.Layer {
  static readonly className = 'MultiHeadAttention';
  readonly #heads: number;
  readonly #width: number;
  readonly #causal: boolean;
  readonly #useBias: boolean;
  readonly #parts: { qkv?: Weight; qkvBias?: Weight; output?: Weight; outputBias?: Weight } = {};

  constructor(options: MultiHeadAttentionOptions) {
    super(options);
    this.#heads = integer('numHeads', options.numHeads, 1);
    this.#width = integer('keyDim', options.keyDim, 1);
    this.#causal = options.causal ?? false;
    this.#useBias = options.useBias ?? true;
  }

  override build(inputShape: unknown): void {
    const d = shapeOf(inputShape).at(-1)!;
    const inner = this.#heads * this.#width;
    this.#parts.qkv = this.addWeight('qkv_kernel', [d, 3 * inner], 'float32', initializers.glorotUniform({}));
    if (this.#useBias) this.#parts.qkvBias = this.addWeight('qkv_bias', [3 * inner], 'float32', initializers.zeros());
    this.#parts.output = this.addWeight('output_kernel', [inner, d], 'float32', initializers.glorotUniform({}));
    if (this.#useBias) this.#parts.outputBias = this.addWeight('output_bias', [d], 'float32', initializers.zeros());
    this.built = true;
  }

  override computeOutputShape(inputShape: unknown): Shape {
    return shapeOf(inputShape);
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const mask = Array.isArray(inputs) ? inputs[1] : undefined;
      const [n, steps, d] = x.shape as [number, number, number];
      const [h, w] = [this.#heads, this.#width];
      const linear = (t: Tensor, kernel: Weight, bias: Weight | undefined): Tensor => {
        const [rows, inner] = kernel.shape as [number, number];
        const product = tf.matMul(tf.reshape(t, [n * steps, rows]), kernel.read());
        return tf.reshape(bias === undefined ? product : tf.add(product, bias.read()), [n, steps, inner]);
      };
      const fused = tf.reshape(linear(x, this.#parts.qkv!, this.#parts.qkvBias), [n, steps, 3, h, w]);
      const [q, k, v] = tf.unstack(fused, 2).map((t) => tf.transpose(t, [0, 2, 1, 3])) as [Tensor, Tensor, Tensor];
      const scores = tf.div(tf.matMul(q, k, false, true), Math.sqrt(w));
      const past: Tensor = this.#causal ? tf.linalg.bandPart(tf.ones([steps, steps]), -1, 0) : tf.ones([steps, steps]);
      const seen = mask === undefined ? past : tf.mul(past, tf.reshape(mask, [n, 1, 1, steps]));
      const weights = tf.softmax(tf.where(tf.notEqual(seen, 0), scores, tf.fill(scores.shape, -1e9)));
      const heads = tf.matMul(weights, v);
      const joined = tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), [n, steps, h * w]);
      return tf.reshape(linear(joined, this.#parts.output!, this.#parts.outputBias), [n, steps, d]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), numHeads: this.#heads, keyDim: this.#width, causal: this.#causal, useBias: this.#useBias };
  }
}

for (const layer of [GroupNormalization, RmsNormalization, PositionEmbedding, MultiHeadAttention]) {
  tf.serialization.registerClass(layer as unknown as tf.serialization.SerializableConstructor<tf.serialization.Serializable>);
}
