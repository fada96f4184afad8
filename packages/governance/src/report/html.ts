/**
 * The report as one self-contained HTML document.
 *
 * @module
 */
import { utf8 } from '@sotto/core/bytes';
import type { PrivacyReport } from './report.ts';

/** The bytes of `report.html`. */
export function renderReportHtml(report: PrivacyReport): Uint8Array {
  return utf8(`<!doctype html>${report.summary}`);
}
