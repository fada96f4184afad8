/**
 * How a CSV file of a data owner becomes features and labels: public constants of the plan only. Statistics of the data
 * would be an unaccounted release, so centres and scales are published figures and category levels are listed.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { ConfigReader } from '../config/config-reader.ts';

/** A numeric column: (value − centre) / scale. */
export interface NumericColumn {
  readonly kind: 'numeric';
  readonly name: string;
  /** Position in the file, from 0. */
  readonly index: number;
  readonly centre: number;
  readonly scale: number;
}

/** A categorical column: one 0/1 feature for each level but the first. */
export interface CategoricalColumn {
  readonly kind: 'categorical';
  readonly name: string;
  readonly index: number;
  /** Every level that may occur; a row with another one is dropped. */
  readonly levels: readonly number[];
}

/** One column that becomes features. */
export type FeatureColumn = NumericColumn | CategoricalColumn;

/** The plan's data section. */
export interface TabularSpec {
  /** Field separator: `,`, `;` or a tab. */
  readonly separator: ',' | ';' | '\t';
  /** Whether the first line names the columns and is skipped. */
  readonly header: boolean;
  /** Fields of every line. */
  readonly columnCount: number;
  /** The text of a missing value; a row that misses a used value is dropped. */
  readonly missing: string;
  /** Columns in the order of the model's inputs. */
  readonly columns: readonly FeatureColumn[];
  /** The label is 1 where the value of that column is greater than `positiveAbove`, else 0. */
  readonly label: { readonly index: number; readonly positiveAbove: number };
  /** The held-out part: declared outside the guarantee, only evaluated. */
  readonly holdout: { readonly fraction: number; readonly seed: string };
}

/** Number of model inputs. */
export function featureCount(spec: TabularSpec): number {
  return spec.columns.reduce((sum, column) => sum + (column.kind === 'numeric' ? 1 : column.levels.length - 1), 0);
}

/** Reads the plan's `data`. */
export function readTabularSpec(reader: ConfigReader): TabularSpec {
  const index = (name: string, value: unknown): number => check.integer(name, value, 0, 9999);
  const label = reader.object('label');
  const holdout = reader.object('holdout');
  const spec: TabularSpec = {
    separator: reader.readOr('separator', ',' as const, (name, value) => check.oneOf(name, value, [',', ';', '\t'])),
    header: reader.flagOr('header', false),
    columnCount: reader.read('columnCount', (name, value) => check.integer(name, value, 1, 10_000)),
    missing: reader.textOr('missing', '?'),
    columns: reader.list('columns', (item, at) => readColumn(new ConfigReader(item, at), index)),
    label: { index: label.read('index', index), positiveAbove: label.read('positiveAbove', check.finite) },
    holdout: {
      fraction: holdout.read('fraction', check.openProbability),
      seed: holdout.read('seed', (name, value) => check.text(name, value, 128)),
    },
  };
  label.end();
  holdout.end();
  reader.end();
  const beyond = [...spec.columns, spec.label].find((column) => column.index >= spec.columnCount);
  if (beyond !== undefined) {
    throw new SottoError(
      'invalid-config',
      `${reader.path}: a column has the index ${beyond.index}, but columnCount is ${spec.columnCount}`,
    );
  }
  if (spec.columns.some((column) => column.index === spec.label.index)) {
    throw new SottoError(
      'invalid-config',
      `${reader.path}: the label's column ${spec.label.index} is a feature as well; take it out of columns`,
    );
  }
  return spec;
}

function readColumn(reader: ConfigReader, index: (name: string, value: unknown) => number): FeatureColumn {
  const base = { name: reader.read('name', (name, value) => check.text(name, value, 64)), index: reader.read('index', index) };
  const kind = reader.read('kind', (name, value) => check.oneOf(name, value, ['numeric', 'categorical']));
  const column: FeatureColumn =
    kind === 'numeric'
      ? { kind, ...base, centre: reader.read('centre', check.finite), scale: reader.read('scale', check.positive) }
      : { kind, ...base, levels: reader.list('levels', (item, at) => check.finite(at, item)) };
  reader.end();
  if (column.kind === 'categorical' && (column.levels.length < 2 || new Set(column.levels).size !== column.levels.length)) {
    throw new SottoError('invalid-config', `${reader.path}: levels must be at least two different numbers`);
  }
  return column;
}
