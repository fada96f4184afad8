/**
 * Finds every check of the protocol in the syntax trees of the sources, so that none can hide behind a shape that a search of the
 * text does not know, and builds each into the source with a switch: one loading of the modules serves all mutants.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseSync } from 'vite';

export const SOURCES: URL = new URL('../../../packages/secagg/src/', import.meta.url);

/** One change of one place, named by what it does: stable while the text around it moves. */
export interface GeneratedMutant {
  /** `file function: text → text`. */
  readonly name: string;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/**
 * Not searched: arithmetic with oracles of its own (`sharing`, `packing` and `parameters` tests), noise (`noise.test.ts`), worker threads and providers
 * (`mask-pool`, `crypto`), and what has no code.
 */
const NOT_SEARCHED =
  /^(noise\/|node\/|index|field|bit-slices|packing|quantiser|graph-parameters|merkle|primitives|server\/state)(\.ts|.*)$/;

export const FILES: readonly string[] = (readdirSync(SOURCES, { recursive: true }) as string[])
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !NOT_SEARCHED.test(file))
  .sort();

/** What the search needs of a node of the tree (ESTree). */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
const node = (value: unknown): Node => value as Node;
const nodes = (value: unknown): readonly Node[] => (value as readonly unknown[]).filter(isNode);

const BOUNDARY: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };

/** Whether a statement does nothing but throw or call what throws. */
function onlyThrows(statement: Node): boolean {
  if (statement.type === 'BlockStatement') {
    const body = nodes(statement['body']);
    return body.length > 0 && onlyThrows(body[body.length - 1]!);
  }
  return statement.type === 'ThrowStatement';
}

/** The name of what a call calls, without its object. */
function calleeName(call: Node): string {
  const callee = node(call['callee']);
  if (callee.type === 'Identifier') return callee['name'] as string;
  return callee.type === 'MemberExpression' && isNode(callee['property']) ? (node(callee['property'])['name'] as string) : '';
}

/** The changes of one node. */
function changesOf(file: string, source: string, at: Node, parent: Node | undefined): readonly (readonly [Node, string])[] {
  const text = (part: Node): string => source.slice(part.start, part.end);
  const out: (readonly [Node, string])[] = [];
  switch (at.type) {
    case 'IfStatement':
      out.push([node(at['test']), 'false']);
      if (!onlyThrows(node(at['consequent']))) out.push([node(at['test']), 'true']);
      break;
    case 'LogicalExpression':
      if (at['operator'] !== '??') out.push([at, text(node(at['left']))], [at, text(node(at['right']))]);
      break;
    case 'ConditionalExpression':
      if (isText(at['consequent']) || isText(at['alternate'])) break;
      out.push([at, text(node(at['consequent']))], [at, text(node(at['alternate']))]);
      break;
    case 'BinaryExpression': {
      const other = BOUNDARY[at['operator'] as string];
      // Places in the roster never equal one another, so the boundary between two of them is none.
      const places = /^(peer|dealer|holder|session\.self|pair\.peer|place)$/;
      const compared = [at['left'], at['right']].every((side) => places.test(text(node(side))));
      if (other !== undefined && !compared) out.push([at, `${text(node(at['left']))} ${other} ${text(node(at['right']))}`]);
      break;
    }
    case 'ExpressionStatement': {
      const expression = node(at['expression']);
      if (expression.type === 'CallExpression') out.push([expression, 'undefined']);
      break;
    }
    case 'CallExpression': {
      const name = calleeName(at);
      const args = nodes(at['arguments']);
      const reads = text(node(at['callee'])).match(/^(reader|r|leaf)\.(bytes|view|text)$/);
      if (name === 'every') out.push([at, 'true']);
      if (name === 'some') out.push([at, 'false']);
      if (name === 'ascending' && args.length === 3) out.push([at, text(args[1]!)]);
      if (name === 'fixed') out.push([at, `${text(args[0]!)}.bytes()`]);
      if (name === 'fixedView') out.push([at, `${text(args[0]!)}.view()`]);
      if (reads !== null && args.length === 1) out.push([at, `${text(node(at['callee']))}()`]);
      // A single argument is the whole statement, which is taken out anyway.
      if (
        (name === 'wipe' || (name === 'push' && text(node(at['callee'])).split('.')[0]!.endsWith('secrets'))) &&
        args.length > 1
      ) {
        for (const arg of args) out.push(arg.type === 'SpreadElement' ? [node(arg['argument']), '[]'] : [arg, 'undefined']);
      }
      break;
    }
    case 'Property': {
      const key = isNode(at['key']) ? (at['key']['name'] as string) : '';
      const value = node(at['value']);
      if (key === 'maxCount') out.push([value, '0xffffffff']);
      if (key === 'minItemBytes') out.push([value, '0']);
      if (key === 'consumed' && parent?.type === 'ObjectExpression' && value.type !== 'ArrayExpression') {
        out.push(at['shorthand'] === true ? [at, 'consumed: []'] : [value, '[]']);
      }
      if (key === 'consumed' && value.type === 'ArrayExpression') out.push(...elementsOf(value));
      break;
    }
    case 'VariableDeclarator': {
      const init = at['init'];
      const name = isNode(at['id']) ? at['id']['name'] : undefined;
      if (name === 'consumed' && isNode(init) && init.type === 'ArrayExpression') out.push(...elementsOf(init));
      break;
    }
    case 'Literal':
      if (file === 'parameters.ts' && typeof at['value'] === 'number' && at['value'] < 10) {
        out.push([at, `(${String(at['value'])} - 1)`], [at, `(${String(at['value'])} + 1)`]);
      }
      break;
    default:
      break;
  }
  return out;
}

/** Each element of a list left out. */
function elementsOf(list: Node): readonly (readonly [Node, string])[] {
  return nodes(list['elements']).map((element) =>
    element.type === 'SpreadElement' ? ([node(element['argument']), '[]'] as const) : ([element, '...[]'] as const),
  );
}

/** Texts of refusals are not mutated: what is chosen between them changes nothing but words. */
const isText = (part: unknown): boolean =>
  isNode(part) &&
  (part.type === 'TemplateLiteral' ||
    (part.type === 'BinaryExpression' && part['operator'] === '+' && isText(part['left'])) ||
    (part.type === 'Literal' && typeof part['value'] === 'string' && / /.test(part['value'])));

const short = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 90 ? `${line.slice(0, 60)} … ${line.slice(-25).trim()}` : line;
};

/** All mutants of a file, in the order of the text. */
export function mutantsOf(file: string): readonly GeneratedMutant[] {
  const source = readFileSync(new URL(file, SOURCES), 'utf8');
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} does not parse`);
  const found: GeneratedMutant[] = [];
  const counts = new Map<string, number>();
  const walk = (at: Node, parent: Node | undefined, inside: string, inLoop: boolean): void => {
    if (at.type.startsWith('TS') && !/^TS(NonNull|As|Satisfies)/.test(at.type)) return;
    if (at.type === 'TemplateLiteral') return; // texts of refusals
    const named = /^(FunctionDeclaration|ClassDeclaration)$/.test(at.type) ? node(at['id'])['name'] : undefined;
    const method = at.type === 'MethodDefinition' || at.type === 'VariableDeclarator' ? (at['key'] ?? at['id']) : undefined;
    const own = (named ?? (isNode(method) && inside === '' ? method['name'] : undefined)) as string | undefined;
    const where = own === undefined ? inside : inside === '' ? own : `${inside}.${own}`;
    if (!inLoop) {
      for (const [place, replacement] of changesOf(file, source, at, parent)) {
        const base = `${file} ${where}: ${short(source.slice(place.start, place.end))} → ${short(replacement)}`;
        const count = (counts.get(base) ?? 0) + 1;
        counts.set(base, count);
        const name = count === 1 ? base : `${base} (${count})`;
        found.push({ name, file, start: place.start, end: place.end, replacement });
      }
    }
    for (const [key, value] of Object.entries(at)) {
      const loops =
        inLoop || (/^(For|While|DoWhile)Statement$/.test(at.type) && (key === 'test' || key === 'update' || key === 'init'));
      if (isNode(value)) walk(value, at, where, loops);
      else if (Array.isArray(value)) for (const child of nodes(value)) walk(child, at, where, loops);
    }
  };
  walk(program as unknown as Node, undefined, '', false);
  return found;
}

/** The text of a file with all its mutants behind a switch, `globalThis.mutantSwitch`, from number `first` on. */
export function switched(source: string, mutants: readonly GeneratedMutant[], first: number): string {
  const places = new Map<string, { start: number; end: number; options: { number: number; text: string }[] }>();
  for (const [i, { start, end, replacement }] of mutants.entries()) {
    const key = `${start} ${end}`;
    const place = places.get(key) ?? { start, end, options: [] };
    place.options.push({ number: first + i, text: replacement });
    places.set(key, place);
  }
  // Outer places first; what lies inside is rendered within.
  const order = [...places.values()].sort((a, z) => a.start - z.start || z.end - a.end);
  const render = (from: number, to: number, inner: readonly (typeof order)[number][]): string => {
    let out = '';
    let at = from;
    for (let i = 0; i < inner.length; i++) {
      const place = inner[i]!;
      const within: (typeof order)[number][] = [];
      while (i + 1 < inner.length && inner[i + 1]!.end <= place.end) within.push(inner[++i]!);
      const original = render(place.start, place.end, within);
      out += source.slice(at, place.start) + choice(place.options, original);
      at = place.end;
    }
    return out + source.slice(at, to);
  };
  return `const { mutantSwitch } = globalThis, { mutantOn } = mutantSwitch;\n${render(0, source.length, order)}`;
}

function choice(options: readonly { readonly number: number; readonly text: string }[], original: string): string {
  const listed = options.find((option) => option.text === '...[]');
  if (listed !== undefined) return `...(mutantOn(${listed.number}) ? [] : [${original}])`;
  const field = options.find((option) => option.text === 'consumed: []');
  if (field !== undefined) return `consumed: mutantOn(${field.number}) ? [] : consumed`;
  return options.reduceRight((rest, { number, text }) => `(mutantOn(${number}) ? (${text}) : ${rest})`, `(${original})`);
}
