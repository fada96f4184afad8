/**
 * Answers cases one after the other: a case that fails is reported, the others go on.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { Invocation } from '../command.ts';
import { ProgressLine } from '../terminal.ts';
import { toJson } from './cases.ts';
import type { Asked, Question } from './questions.ts';

export interface Answered {
  /** One JSON object for `--json`, without the id. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The same for people. */
  readonly text: string;
}

const PROGRESS_EVERY_MS = 250;

/** Returns the exit status: 0 if every case has an answer. */
export function runCases(invocation: Invocation, asked: readonly Asked[], answer: (question: Question) => Answered): number {
  const { terminal } = invocation;
  const json = invocation.flag('json');
  const progress = new ProgressLine(terminal);
  let failed = 0;
  let shownMs = 0;
  asked.forEach((question, i) => {
    const now = Date.now();
    if (asked.length > 1 && now - shownMs > PROGRESS_EVERY_MS) {
      progress.show(`case ${i + 1} of ${asked.length} ...`);
      shownMs = now;
    }
    let line: string;
    try {
      if ('error' in question) throw question.error;
      const { json: fields, text } = answer(question);
      line = json
        ? toJson({ id: question.id, ...fields })
        : asked.length === 1
          ? text
          : `${terminal.style('bold', String(question.id))}: ${text}`;
    } catch (reason) {
      const error = SottoError.from(reason);
      failed++;
      line = json
        ? toJson({ id: question.id, error: { code: error.code, message: error.message } })
        : `${asked.length === 1 ? '' : `${question.id}: `}${terminal.style('red', 'no answer')}: ${error.message}`;
    }
    progress.clear();
    terminal.out(`${line}\n`);
  });
  return failed === 0 ? 0 : 1;
}
