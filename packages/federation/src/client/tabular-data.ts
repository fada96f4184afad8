/**
 * A data owner's CSV file as features and labels, by the plan's public constants. Every row is judged by itself: which
 * part it falls into, and whether it is dropped, depends on no other row.
 *
 * @module
 */
import { fromUtf8 } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { ByteWriter } from '@sotto/core/encoding';
import { SottoError } from '@sotto/core/errors';
import { type FeatureColumn, type TabularSpec, featureCount } from '../plan/tabular-spec.ts';

/** Records in row-major order. */
export interface LabelledRecords {
  readonly count: number;
  readonly features: Float32Array;
  /** 0 or 1. */
  readonly labels: Float32Array;
}

/** The two parts of a file. */
export interface TabularData {
  readonly training: LabelledRecords;
  /** Outside the guarantee: evaluated, never trained on. */
  readonly heldOut: LabelledRecords;
}

interface Row {
  readonly features: readonly number[];
  readonly label: number;
}

/** Parses a file; throws `invalid-argument` with line and column for what is no number. */
export function parseTable(
  crypto: Pick<CryptoProvider, 'sha256'>,
  bytes: Uint8Array,
  spec: TabularSpec,
  name: string,
): TabularData {
  const training: Row[] = [];
  const heldOut: Row[] = [];
  const lines = fromUtf8(bytes).split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if ((index === 0 && spec.header) || line.trim() === '') continue;
    const fields = line.split(spec.separator).map((field) => field.trim());
    if (fields.length !== spec.columnCount) {
      throw new SottoError(
        'invalid-argument',
        `${name} has ${fields.length} fields in line ${index + 1}; the plan says ${spec.columnCount}`,
      );
    }
    const row = readRow(fields, spec, `${name}, line ${index + 1}`);
    if (row !== undefined) (isHeldOut(crypto, spec, fields) ? heldOut : training).push(row);
  }
  const width = featureCount(spec);
  return { training: toRecords(training, width), heldOut: toRecords(heldOut, width) };
}

/**
 * Whether a record is held out: a public coin of the plan's seed and the record's own fields. It must not depend on the
 * record's place in the file: then the removal of one record would move others between the parts, and two neighbouring
 * files would differ in more than one training record, which is all that the guarantee covers.
 */
function isHeldOut(crypto: Pick<CryptoProvider, 'sha256'>, spec: TabularSpec, fields: readonly string[]): boolean {
  const record = new ByteWriter()
    .text('sotto holdout/2')
    .text(spec.holdout.seed)
    .list(fields, (writer, field) => writer.text(field));
  const digest = crypto.sha256(record.finish());
  const draw = new DataView(digest.buffer, digest.byteOffset, 4).getUint32(0);
  return draw < spec.holdout.fraction * 2 ** 32;
}

/** One row, or `undefined` where a used value is missing or a level is not in the plan. */
function readRow(fields: readonly string[], spec: TabularSpec, at: string): Row | undefined {
  const features: number[] = [];
  for (const column of spec.columns) {
    const value = readNumber(fields[column.index], spec, at, column.name);
    const columnFeatures = value === undefined ? undefined : featuresOf(column, value);
    if (columnFeatures === undefined) return undefined;
    features.push(...columnFeatures);
  }
  const label = readNumber(fields[spec.label.index], spec, at, 'the label');
  return label === undefined ? undefined : { features, label: label > spec.label.positiveAbove ? 1 : 0 };
}

function readNumber(field: string | undefined, spec: TabularSpec, at: string, column: string): number | undefined {
  if (field === undefined || field === spec.missing) return undefined;
  const value = Number(field);
  // The value itself stays out of the message: it is a private record's.
  if (field === '' || !Number.isFinite(value)) {
    throw new SottoError('invalid-argument', `${at}: ${column} is neither a number nor ${JSON.stringify(spec.missing)}`);
  }
  return value;
}

function featuresOf(column: FeatureColumn, value: number): number[] | undefined {
  if (column.kind === 'numeric') return [(value - column.centre) / column.scale];
  const level = column.levels.indexOf(value);
  return level < 0 ? undefined : column.levels.slice(1).map((_, i) => (i + 1 === level ? 1 : 0));
}

function toRecords(rows: readonly Row[], width: number): LabelledRecords {
  const features = new Float32Array(rows.length * width);
  rows.forEach((row, i) => features.set(row.features, i * width));
  return { count: rows.length, features, labels: Float32Array.from(rows, (row) => row.label) };
}
