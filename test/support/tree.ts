/** A copy of the compiled programs with the packages they need, as on another machine. */
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './temp.js';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** @param to a folder that is not there yet */
export function copyPrograms(to: string): void {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const needed = Object.entries(packages)
    .filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && dev !== true)
    .map(([path]) => path)
    .filter((path) => existsSync(join(root, path))); // those for other machines are not
  for (const path of ['package.json', 'bin', 'dist/src', 'dist/protocol', ...needed])
    cpSync(join(root, path), join(to, path), { recursive: true });
}
