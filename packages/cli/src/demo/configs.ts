/**
 * Writes the configuration files with which the demo starts its six services: the same files that an operator writes.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { heartPlan, DELTA } from './heart-plan.ts';
import { DRILL_HOSPITAL, HOSPITALS, type Hospital } from './hospitals.ts';
import type { DemoState, Layout } from './layout.ts';

/** Role of a child process, which is also the subcommand that runs it. */
export type ServiceRole = 'authority' | 'coordinator' | 'client';

export interface ServiceSpec {
  readonly id: string;
  readonly role: ServiceRole;
  readonly config: string;
}

/** The six services, in the order in which they start. */
export function services(layout: Layout): readonly ServiceSpec[] {
  const config = (id: string): string => layout.at('config', `${id}.json`);
  return [
    { id: 'authority', role: 'authority', config: config('authority') },
    { id: 'coordinator', role: 'coordinator', config: config('coordinator') },
    ...HOSPITALS.map(({ id }) => ({ id, role: 'client' as const, config: config(id) })),
  ];
}

function write(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

/** Writes plan and configurations of a new run. */
export function writeConfigs(layout: Layout, state: DemoState, dataDirectory: string): void {
  mkdirSync(layout.at('config'), { recursive: true });
  write(layout.at('config', 'plan.json'), heartPlan(state.runId, state.rounds));
  write(layout.at('config', 'authority.json'), {
    directory: layout.at('authority'),
    listen: '127.0.0.1:0',
    addressFile: layout.at('authority.address'),
    trustDomain: 'hospitals.example',
    trustFile: layout.at('trust.json'),
    exitWithParent: true,
    tokens: [
      { id: 'coordinator', role: 'coordinator', file: layout.at('tokens', 'coordinator.token') },
      ...HOSPITALS.map(({ id }) => ({ id, role: 'client', file: layout.at('tokens', `${id}.token`) })),
    ],
  });
  write(layout.at('config', 'coordinator.json'), {
    directory: layout.at('coordinator'),
    listen: '127.0.0.1:0',
    addressFile: layout.at('coordinator.address'),
    id: 'coordinator',
    authority: `file:${layout.at('authority.address')}`,
    joinToken: layout.at('tokens', 'coordinator.token'),
    plan: layout.at('config', 'plan.json'),
    exportDirectory: layout.exportDirectory,
    exitWhenDone: true,
    exitWithParent: true,
  });
  for (const hospital of HOSPITALS) writeClientConfig(layout, state, hospital, dataDirectory);
}

/** Writes one hospital's configuration, with the drill only while that is still to come. */
export function writeClientConfig(layout: Layout, state: DemoState, hospital: Hospital, dataDirectory: string): void {
  const drill = hospital.id === DRILL_HOSPITAL && state.drillRound !== null && !state.drillDone;
  write(layout.at('config', `${hospital.id}.json`), {
    directory: layout.at(hospital.id),
    id: hospital.id,
    authority: `file:${layout.at('authority.address')}`,
    joinToken: layout.at('tokens', `${hospital.id}.token`),
    coordinator: `file:${layout.at('coordinator.address')}`,
    budget: { epsilon: state.epsilon, delta: DELTA },
    policy: { minCohort: 3, minHonest: 2, minCollusion: 1 },
    account: {
      dataset: `UCI Heart Disease, ${hospital.name}`,
      steward: hospital.steward,
      purpose: 'Demonstration: predict heart disease from thirteen clinical features',
      legalBasis: 'Published de-identified data, CC BY 4.0',
    },
    task: { kind: 'tabular', file: join(dataDirectory, hospital.file) },
    ...(drill ? { drill: { round: state.drillRound, after: 'share' } } : {}),
    exitWithParent: true,
  });
}
