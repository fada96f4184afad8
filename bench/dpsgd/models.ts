/**
 * The benchmark's models, as topologies: what `tf.sequential(...).toJSON()` gives.
 *
 * @module
 */

/** A model of the benchmark. */
export interface BenchModel {
  readonly name: string;
  readonly parameters: number;
  readonly batch: number;
  readonly inputShape: readonly number[];
  readonly topology: { readonly class_name: string; readonly config: unknown };
}

type Config = Readonly<Record<string, unknown>>;

function sequential(
  name: string,
  inputShape: readonly number[],
  layers: readonly (readonly [string, Config])[],
): BenchModel['topology'] {
  return {
    class_name: 'Sequential',
    config: {
      name,
      layers: layers.map(([class_name, config], i) => ({
        class_name,
        config: { name: `${name}_${i}`, ...(i === 0 ? { batch_input_shape: [null, ...inputShape] } : {}), ...config },
      })),
    },
  };
}

const conv = (filters: number, size: number, padding: 'same' | 'valid'): readonly [string, Config] => [
  'Conv2D',
  { filters, kernel_size: [size, size], strides: [2, 2], padding, activation: 'relu' },
];
const pool: readonly [string, Config] = ['MaxPooling2D', { pool_size: [2, 2], strides: [1, 1], padding: 'valid' }];

/** Models by name. Both classify 28×28 digits into ten classes with crossentropy. */
export const benchModels: readonly BenchModel[] = [
  {
    name: 'mlp',
    parameters: 669_706,
    batch: 256,
    inputShape: [784],
    topology: sequential(
      'mlp',
      [784],
      [
        ['Dense', { units: 512, activation: 'relu' }],
        ['Dense', { units: 512, activation: 'relu' }],
        ['Dense', { units: 10, activation: 'softmax' }],
      ],
    ),
  },
  {
    name: 'cnn',
    parameters: 26_010,
    batch: 256,
    inputShape: [28, 28, 1],
    topology: sequential(
      'cnn',
      [28, 28, 1],
      [
        conv(16, 8, 'same'),
        pool,
        conv(32, 4, 'valid'),
        pool,
        ['Flatten', {}],
        ['Dense', { units: 32, activation: 'relu' }],
        ['Dense', { units: 10, activation: 'softmax' }],
      ],
    ),
  },
];
