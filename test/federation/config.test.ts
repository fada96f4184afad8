import path from 'node:path';
import { expect, test } from 'vitest';
import {
  decodePlan,
  encodePlan,
  loadClientConfig,
  loadPlan,
  parseAuthorityConfig,
  parseClientConfig,
  parseCoordinatorConfig,
  parsePlan,
} from '../../packages/federation/src/index.ts';
import { nobleCrypto } from '../../packages/core/src/crypto-noble.ts';
import { preparePlan } from '../../packages/federation/src/plan/terms.ts';
import { parseDocumentText } from '../../packages/federation/src/config/load-document.ts';
import { tinyPlan } from './support.ts';

const client = {
  directory: 'ann',
  id: 'ann',
  authority: 'file:authority.address',
  coordinator: 'c.example:7401',
  account: { dataset: 'd', steward: 's', purpose: 'p', legalBasis: 'l' },
};
const coordinator = {
  directory: 'c',
  listen: '127.0.0.1:0',
  id: 'coordinator',
  authority: 'a.example:7400',
  plan: 'plan.yaml',
  exportDirectory: 'out',
};
const authority = { directory: 'a', listen: '[::1]:7400', trustDomain: 'x.example' };

test('defaults are filled in, and relative paths resolved against the folder of the file', () => {
  expect(parseClientConfig(client, '/base')).toMatchObject({
    directory: path.resolve('/base/ann'),
    authority: `file:${path.resolve('/base/authority.address')}`,
    coordinator: 'c.example:7401',
    coordinatorId: 'coordinator',
    budget: { epsilon: 1, delta: 0.001 },
    policy: {
      minCohort: 3,
      minHonest: 2,
      minCollusion: 1,
      maxRounds: 10_000,
      maxHoldoutFraction: 0.35,
      minNoiseMultiplier: 0.2,
      minSampleRate: 0,
    },
    exitWithParent: false,
  });
  expect(parseCoordinatorConfig(coordinator, '/base')).toMatchObject({
    exitWhenDone: false,
    serverNames: [],
    disconnectGraceMs: 1000,
  });
  expect(parseAuthorityConfig(authority, '/base')).toMatchObject({ tokens: [], tokenHours: 24, certificateDays: 90 });
});

test.each([
  [parseClientConfig, { ...client, budgett: {} }, 'unknown key "budgett"; did you mean "budget"?'],
  [
    parseClientConfig,
    { ...client, policy: { minCohort: 2 } },
    'client config: policy: minCohort is 2; it must be an integer from 3',
  ],
  [parseClientConfig, { ...client, policy: { mincohort: 3 } }, 'did you mean "minCohort"?'],
  [parseClientConfig, { ...client, policy: { plans: ['abc'] } }, 'write the 64 hexadecimal digits'],
  [parseClientConfig, { ...client, policy: { suites: ['rsa'] } }, 'suites[0] is "rsa"'],
  [parseClientConfig, { ...client, budget: { epsilon: 0 } }, 'budget: epsilon is 0; it must be a number greater than 0'],
  [parseClientConfig, { ...client, budget: { delta: 1 } }, 'budget: delta is 1'],
  [parseClientConfig, { ...client, id: 'Ann' }, 'id is "Ann"'],
  [parseClientConfig, { ...client, coordinatorId: 'ann' }, 'id and coordinatorId are both "ann"'],
  [parseClientConfig, { ...client, policy: { maxHoldoutFraction: 2 } }, 'maxHoldoutFraction is 2'],
  [parseClientConfig, { ...client, account: undefined }, 'the key "account" is missing'],
  [parseClientConfig, { ...client, task: { kind: 'images', file: 'x' } }, 'kind is "images"; it must be one of tabular'],
  [parseClientConfig, { ...client, drill: { round: 1, after: 'lunch' } }, 'after is "lunch"'],
  [parseClientConfig, 'text', 'it must be a mapping'],
  [parseCoordinatorConfig, { ...coordinator, listen: 'localhost' }, 'write host:port, such as 127.0.0.1:0'],
  [parseCoordinatorConfig, { ...coordinator, exitWhenDone: 'yes' }, 'exitWhenDone is "yes"; it must be true or false'],
  [parseCoordinatorConfig, { ...coordinator, elephants: 1 }, 'unknown key "elephants"; remove it; known keys:'],
  [parseAuthorityConfig, { ...authority, trustDomain: 'X.example' }, 'a trust domain has only a-z'],
  [parseAuthorityConfig, { ...authority, tokens: [{ id: 'x', role: 'admin', file: 'f' }] }, 'tokens[0]: role is "admin"'],
])('a bad configuration is refused with the cure: %#', (parse, value, message) => {
  const run = (): unknown => parse(value, '/base');
  expect(run).toThrow(message);
  expect(run).toThrow(expect.objectContaining({ code: 'invalid-config' }) as Error);
});

test('a file that is missing or no YAML gives one clear line', async () => {
  await expect(loadClientConfig('/nowhere/ann.yaml')).rejects.toMatchObject({ code: 'not-found' });
  expect(() => parseDocumentText('a: 1\na: 2', 'x.yaml')).toThrow('x.yaml is not valid YAML');
  expect(() => parseDocumentText('a: [1', 'x.yaml')).toThrow(/^x\.yaml is not valid YAML: [^\n]+$/);
  expect(() => parseDocumentText('a: !!js/function "x"', 'x.yaml')).toThrow('x.yaml');
});

const planValue = (): Record<string, unknown> => JSON.parse(encodePlan(tinyPlan())) as Record<string, unknown>;

test('a plan survives its canonical form, and only that form is read from the wire', () => {
  const text = encodePlan(tinyPlan());
  expect(decodePlan(text)).toEqual(tinyPlan());
  expect(() => decodePlan(`${text} `)).toThrow('canonical');
  // A default that is left out is the same plan to people, but other bytes: refused on the wire.
  const { header: _, ...data } = planValue()['data'] as Record<string, unknown>;
  expect(() => decodePlan(JSON.stringify({ ...planValue(), data }))).toThrow();
});

test('the heart-disease plan is valid', async () => {
  const plan = await loadPlan(path.join(import.meta.dirname, '../../examples/heart-disease/plan.yaml'));
  expect(plan.parties.map(({ id }) => id)).toEqual(['cleveland', 'hungary', 'switzerland', 'va']);
});

test.each([
  [{ rounds: 0 }, 'rounds is 0'],
  [{ version: 2 }, 'version is 2'],
  [{ initialWeights: 'random' }, 'initialWeights is "random"'],
  [{ model: 'cnn' }, 'the topology that TensorFlow.js writes'],
  [{ strategy: 'fedavg' }, 'unknown key "strategy"'],
  [{ secagg: { mode: 'semi-honest', nMax: 4 } }, 'mode is "semi-honest"; it must be one of malicious'],
  [{ secagg: { mode: 'malicious', nMax: 4, hMin: 4, cMin: 1 } }, 'enrol more or lower hMin'],
  [{ secagg: { mode: 'malicious', nMax: 3, hMin: 2 } }, 'it has 4 parties, but secagg.nMax is 3'],
  [{ training: { unit: 'client' } }, 'training: unit is "client"'],
  [{ deadlines: { joinMs: 0 } }, 'joinMs is 0'],
  [{ quantiser: { clip: 1, bits: 40 } }, 'bits is 40'],
  [{ suite: 'x448' }, 'suite is "x448"'],
])('a bad plan is refused: %#', (change, message) => {
  expect(() => parsePlan({ ...planValue(), ...change })).toThrow(message);
});

test('a model that does not fit the data, or cannot be trained privately, is refused', () => {
  const prepare = (change: object): unknown => preparePlan(nobleCrypto, parsePlan({ ...planValue(), ...change }));
  const layer = (className: string, config: object): object => ({
    class_name: 'Sequential',
    config: { name: 'm', layers: [{ class_name: className, config: { name: 'l', trainable: true, ...config } }] },
  });
  expect(() => prepare({ model: layer('Dense', { batch_input_shape: [null, 5], units: 1 }) })).toThrow('maps [[5]] to [[1]]');
  expect(() => prepare({ model: layer('Dense', { batch_input_shape: [null, 2], units: 3 }) })).toThrow(
    'a binary label takes [[1]]',
  );
  expect(() => prepare({ model: layer('BatchNormalization', { batch_input_shape: [null, 2] }) })).toThrow(
    expect.objectContaining({ code: 'invalid-config' }) as Error,
  );
});

test('parties and columns that contradict each other are refused', () => {
  const value = planValue();
  const parties = value['parties'] as object[];
  expect(() => parsePlan({ ...value, parties: parties.toReversed() })).toThrow('sorted by id');
  expect(() => parsePlan({ ...value, parties: [{ ...parties[0], sampleRate: 1.5 }, ...parties.slice(1)] })).toThrow(
    'parties[0]: sampleRate is 1.5; it must be greater than 0 and at most 1',
  );
  const data = value['data'] as Record<string, unknown>;
  expect(() => parsePlan({ ...value, data: { ...data, label: { index: 0, positiveAbove: 0 } } })).toThrow('is a feature as well');
  expect(() => parsePlan({ ...value, data: { ...data, columnCount: 1 } })).toThrow('columnCount is 1');
});
