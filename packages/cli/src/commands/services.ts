/**
 * `sotto authority`, `sotto coordinator`, `sotto client`: the services of a federation, and `sotto token` to invite one.
 *
 * @module
 */
import {
  issueJoinToken,
  type LogSink,
  type Stoppable,
  loadAuthorityConfig,
  loadClientConfig,
  loadCoordinatorConfig,
  runUntilStopped,
  startAuthority,
  startClientService,
  startCoordinator,
} from '@sotto/federation';
import { partyId, oneOf } from '@sotto/core/check';
import { resolve } from 'node:path';
import { Patience } from '../patience.ts';
import { type Command, type Invocation, type OptionSpec, UsageError } from '../command.ts';

const SERVICE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  config: {
    type: 'string',
    short: 'c',
    value: 'FILE',
    describe: 'The configuration, YAML or JSON. Paths in it are relative to its folder.',
  },
  'exit-with-parent': {
    type: 'boolean',
    describe: 'End when standard input closes, so that the service does not outlive the program that started it.',
  },
};

const PATIENCE_OPTION: OptionSpec = {
  type: 'string',
  value: 'SECONDS',
  describe: 'How long to wait for a peer that does not answer at the start (30); 0 waits for ever. Later outages are waited out.',
};

const DEFAULT_PATIENCE_SECONDS = 30;

/** Runs a service that depends on peers, with limited patience at its start. */
async function runPatiently(
  invocation: Invocation,
  reachedBy: string,
  cure: string,
  exitWithParent: boolean,
  start: (log: LogSink) => Promise<Stoppable>,
): Promise<void> {
  const seconds = invocation.integer('patience', 0) ?? DEFAULT_PATIENCE_SECONDS;
  const patience = new Patience({ seconds, reachedBy, cure });
  let service: Stoppable | undefined;
  try {
    service = await Promise.race([start(patience.log), patience.expired]);
    await Promise.race([runUntilStopped(service, { exitWithParent }), patience.expired]);
  } catch (error) {
    await service?.stop();
    throw error;
  } finally {
    patience.close();
  }
}

const LIFE =
  'The service writes one JSON object per line to standard output: {time, level, party, event, ...}. SIGTERM and Ctrl-C drain it: running calls end, the store is closed. Killed at any moment and started again, it goes on where its store says it was.';

function configOf(invocation: Invocation): string {
  const file = invocation.text('config');
  if (file === undefined) throw new UsageError('--config is missing; name the configuration file: --config FILE');
  return file;
}

export const authorityCommand: Command = {
  name: 'authority',
  summary: 'run the enrolment authority, which certifies the parties',
  usage: ['authority --config FILE'],
  description: [
    'The authority decides who belongs to the federation. It turns a single-use join token and a key that the party made for itself into a TLS certificate and an identity certificate. It takes no part in training, and its key never reaches the coordinator: run it on a machine of its own.',
    LIFE,
    '  # authority.yaml\n  directory: authority          # keys and database, made with mode 0700\n  listen: 0.0.0.0:7400\n  trustDomain: hospitals.example\n  trustFile: trust.json         # the fingerprint that "sotto verify --trust" asks for\n  tokens:                       # written once; hand each to its party\n    - { id: coordinator, role: coordinator, file: tokens/coordinator.token }\n    - { id: cleveland, role: client, file: tokens/cleveland.token }',
  ],
  options: SERVICE_OPTIONS,
  positionals: [0, 0],
  examples: [['sotto authority --config authority.yaml', 'serve until stopped']],
  async run(invocation) {
    const config = await loadAuthorityConfig(configOf(invocation));
    await runUntilStopped(await startAuthority(config), {
      exitWithParent: config.exitWithParent || invocation.flag('exit-with-parent'),
    });
    return 0;
  },
};

export const coordinatorCommand: Command = {
  name: 'coordinator',
  summary: 'run the coordinator, which leads the rounds and learns only sums',
  usage: ['coordinator --config FILE'],
  description: [
    'The coordinator offers the rounds of a plan, carries the messages of secure aggregation between the clients, publishes each new model and keeps a transparency log. It learns the sum of the updates, never one of them. When the plan is done it writes the export folder: model, report, every ledger, and a signed manifest.',
    LIFE,
    '  # coordinator.yaml\n  directory: coordinator\n  listen: 0.0.0.0:7401\n  id: coordinator\n  authority: authority.example:7400\n  joinToken: coordinator.token  # needed once\n  plan: plan.yaml\n  exportDirectory: export',
  ],
  options: { ...SERVICE_OPTIONS, patience: PATIENCE_OPTION },
  positionals: [0, 0],
  examples: [
    ['sotto coordinator --config coordinator.yaml', 'serve until the plan is done (exitWhenDone: true) or until stopped'],
  ],
  async run(invocation) {
    const config = await loadCoordinatorConfig(configOf(invocation));
    const exitWithParent = config.exitWithParent || invocation.flag('exit-with-parent');
    const cure = `check that the authority runs and that "authority" in ${invocation.text('config')} names its address`;
    await runPatiently(invocation, 'service.ready', cure, exitWithParent, (log) => startCoordinator(config, { log }));
    return 0;
  },
};

export const clientCommand: Command = {
  name: 'client',
  summary: 'run the client of a data owner, which trains and guards the budget',
  usage: ['client --config FILE'],
  description: [
    "The client runs beside the data. It checks the coordinator's plan against its own policy, reserves the privacy cost of a round durably in its own ledger, only then trains and draws noise, and sends the masked result. Records, losses and counts never leave. A round that the budget does not cover is refused.",
    LIFE,
    '  # cleveland.yaml\n  directory: cleveland\n  id: cleveland\n  authority: authority.example:7400\n  joinToken: cleveland.token\n  coordinator: coordinator.example:7401\n  budget: { epsilon: 1, delta: 0.001 }\n  policy: { minCohort: 3, minHonest: 2 }\n  account:\n    dataset: UCI Heart Disease, Cleveland\n    steward: Cleveland Clinic Foundation\n    purpose: research on heart disease\n    legalBasis: CC BY 4.0\n  task: { kind: tabular, file: processed.cleveland.data }',
    'To train with your own code, embed FederatedClient of @sotto/federation in your program instead.',
  ],
  options: { ...SERVICE_OPTIONS, patience: PATIENCE_OPTION },
  positionals: [0, 0],
  examples: [['sotto client --config cleveland.yaml', 'take part until the run is over']],
  async run(invocation) {
    const config = await loadClientConfig(configOf(invocation));
    const exitWithParent = config.exitWithParent || invocation.flag('exit-with-parent');
    const cure = `check that it runs and that ${invocation.text('config')} names its address`;
    await runPatiently(invocation, 'coordinator.connected', cure, exitWithParent, (log) => startClientService(config, { log }));
    return 0;
  },
};

export const tokenCommand: Command = {
  name: 'token',
  summary: 'invite one more party: issue a join token',
  usage: ['token --config FILE --id ID --role client|coordinator --out FILE'],
  description: [
    "Issues a single-use join token beside a running authority, from the authority's own configuration. The token carries the fingerprint of the authority, so that the party knows whom it enrols with. Hand the file over on a channel you trust; it expires after the hours that the configuration says (24).",
  ],
  options: {
    config: { type: 'string', short: 'c', value: 'FILE', describe: "The authority's configuration." },
    id: { type: 'string', value: 'ID', describe: 'Id of the party: a-z, 0-9, ".", "_", "-".' },
    role: { type: 'string', value: 'ROLE', describe: 'client (default) or coordinator.' },
    out: { type: 'string', short: 'o', value: 'FILE', describe: 'Where to write the token (mode 0600).' },
  },
  positionals: [0, 0],
  examples: [['sotto token --config authority.yaml --id hungary --out hungary.token', 'invite the client "hungary"']],
  async run(invocation) {
    const config = await loadAuthorityConfig(configOf(invocation));
    const id = invocation.text('id');
    const out = invocation.text('out');
    if (id === undefined) throw new UsageError('--id is missing; say whom the token is for: --id ID');
    if (out === undefined) throw new UsageError('--out is missing; say where to write the token: --out FILE');
    const role = oneOf('--role', invocation.text('role') ?? 'client', ['client', 'coordinator']);
    await issueJoinToken(config, { id: partyId('--id', id), role, file: resolve(out) }, { log: () => undefined });
    invocation.terminal.out(
      `${out}: a token for the ${role} "${id}", good for one enrolment within ${config.tokenHours} hours\n`,
    );
    return 0;
  },
};
