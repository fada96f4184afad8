/**
 * What the repository tests need to know of the tree: its files, the modules they import and the identifiers they use.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root: string = join(import.meta.dirname, '../..');

/** Files that git tracks or would track, with `/` between folders. A plain archive without git lists nothing. */
export function repositoryFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
}

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** The source with comments blanked out, line structure kept. Strings stay. */
export function withoutComments(source: string): string {
  const pattern = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return source.replace(pattern, (match) => (match.startsWith('/') ? match.replace(/[^\n]/g, ' ') : match));
}

/** The source with comments and the contents of strings blanked out. */
export function codeOnly(source: string): string {
  return withoutComments(source).replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, (match) =>
    match.startsWith('`')
      ? match.replace(/\$\{([^}]*)\}|[^\n]/g, (part, inner: string | undefined) => inner ?? (part === '\n' ? part : ' '))
      : "''",
  );
}

/** Every module that a source names in an import, an export or a dynamic import; not the text 'from' beside another one. */
export function importedModules(source: string): string[] {
  const found: string[] = [];
  for (const match of withoutComments(source).matchAll(/(?<!['"`])\b(?:from|import)\s*\(?\s*(['"])([^'"\n]+)\1/g))
    found.push(match[2]!);
  return found;
}
