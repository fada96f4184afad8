/**
 * `sotto plan`: checks a plan and prints its hash.
 *
 * @module
 */
import { encodePlan, featureCount, loadPlan } from '@sotto/federation';
import { createHash } from 'node:crypto';
import type { Command } from '../command.ts';
import { UsageError } from '../command.ts';

export const planCommand: Command = {
  name: 'plan',
  summary: 'check a plan and print its hash',
  usage: ['plan check FILE', 'plan hash FILE'],
  description: [
    'A plan says what all parties agree on before anybody trains: model, data columns, privacy unit, rounds, parties, parameters of secure aggregation. Its hash is bound into every message; a data owner can allow just this plan by naming the hash in its policy (policy.plans).',
  ],
  options: {},
  positionals: [2, 2],
  examples: [
    ['sotto plan check plan.yaml', 'say what the plan asks for, or which key is wrong'],
    ['sotto plan hash plan.yaml', 'print the 64 hexadecimal digits for policy.plans'],
  ],
  async run({ positionals, terminal }) {
    const [action, file] = positionals as [string, string];
    if (action !== 'check' && action !== 'hash')
      throw new UsageError(`"${action}" is neither check nor hash: sotto plan check FILE`);
    const plan = await loadPlan(file);
    const hash = createHash('sha256').update(encodePlan(plan)).digest('hex');
    if (action === 'hash') {
      terminal.out(`${hash}\n`);
      return 0;
    }
    const { rounds, parties, training, data } = plan;
    terminal.out(
      `${file} is a valid plan: run ${plan.runId}, ${rounds} rounds, ${parties.length} parties (${parties.map(({ id }) => id).join(', ')}), ` +
        `${featureCount(data)} features, unit ${training.unit}, clip norm ${training.clipNorm}, ${training.localSteps} private step(s) a round.\nhash ${hash}\n`,
    );
    return 0;
  },
};
