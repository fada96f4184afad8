import { describe, expect, it } from 'vitest';
import { read, repositoryFiles } from './sources.ts';

const files = repositoryFiles();
const isText = (file: string): boolean => /\.(?:ts|js|mjs|json|md|ya?ml|sh|proto|txt|html|css)$|(?:^|\/)[^./]+$/.test(file);

describe('the repository', () => {
  it('names no folder outside itself and no absolute path of one machine', () => {
    const faults: string[] = [];
    for (const file of files.filter(isText)) {
      if (file === 'test/repo/stand-alone.test.ts') continue;
      const text = read(file);
      for (const pattern of [/\.\.\/shared\b/, /\/work\/(?:main|shared)\b/, /\/home\/[a-z]+\//]) {
        const match = pattern.exec(text);
        if (match !== null) faults.push(`${file}: ${match[0]}`);
      }
    }
    expect(faults).toEqual([]);
  });

  it('locks every package by hash and leaves the choice of the registry to the reader', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { resolved?: string; link?: boolean; integrity?: string }>;
    };
    for (const [path, entry] of Object.entries(packages)) {
      if (!path.startsWith('node_modules/') || entry.link === true) continue;
      expect(entry.integrity, path).toMatch(/^sha512-/);
      expect(entry.resolved, path).toBeUndefined();
    }
  });

  it('pins every dependency to one exact version', () => {
    for (const file of files.filter((name) => /^(?:packages\/[^/]+\/)?package\.json$/.test(name))) {
      const manifest = JSON.parse(read(file)) as Record<string, Record<string, string> | undefined>;
      for (const field of ['dependencies', 'devDependencies', 'optionalDependencies']) {
        for (const [name, version] of Object.entries(manifest[field] ?? {}))
          expect(`${name} ${version}`, file).toMatch(/ \d+\.\d+\.\d+$/);
      }
    }
  });

  it('gives every package the same version, licence and engines', () => {
    const manifests = files
      .filter((name) => /^packages\/[^/]+\/package\.json$/.test(name))
      .map(
        (name) =>
          JSON.parse(read(name)) as { version: string; license: string; engines: { node: string }; scripts: { prepack: string } },
      );
    expect(manifests.length).toBe(6);
    expect(new Set(manifests.map((manifest) => `${manifest.version} ${manifest.license} ${manifest.engines.node}`)).size).toBe(1);
    for (const manifest of manifests) expect(manifest.scripts.prepack).toBe('node ../../scripts/prepack.mjs');
  });
});
