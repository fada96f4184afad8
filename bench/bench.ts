/**
 * What a benchmark is: a module `bench/NAME.ts` that exports `run`.
 *
 * @module
 */

export interface BenchOptions {
  /** Folder of a Python virtual environment with the peers installed; without it the peers' rows are left out. */
  readonly peers?: string | undefined;
  /** Parts to run, by names that the benchmark knows; all where it is left out. Results of parts are not written. */
  readonly only?: readonly string[] | undefined;
  /** Shows a line of progress. */
  readonly progress: (line: string) => void;
}

export interface BenchTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface BenchResult {
  /** One or two sentences: the ratio or bound that the run measured. */
  readonly summary: string;
  readonly tables: readonly BenchTable[];
  /** Everything measured, for the JSON file. */
  readonly data: unknown;
}
