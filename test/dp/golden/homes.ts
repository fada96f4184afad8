/** Which test file answers for which oracle row: every row has exactly one home. */
import type { Row } from './rows.ts';

/** `classical`: test/dp/accounting; `pld`: test/dp/accounting/pld; `audit`: test/dp/audit. */
export function homeOf(row: Row): 'classical' | 'pld' | 'audit' {
  const { accountant, mechanism, kind } = row;
  if (mechanism === 'canaries' || mechanism === 'canary_scores' || mechanism === 'tp_fp_counts') return 'audit';
  if (accountant.startsWith('RDP') || accountant.startsWith('GDP(CLT') || accountant.startsWith('zCDP')) return 'classical';
  if (accountant.includes('analytic Gaussian') || accountant.startsWith('f-DP') || accountant.startsWith('closed-form'))
    return 'classical';
  if (kind === 'gdp_mu' || kind === 'tpr_at_fpr_0.1') return 'classical';
  return 'pld';
}
