/** The package as `npm pack` makes it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './temp.js';

/** Runs npm to its end, here with what people have set for it. @returns what it printed */
export function npm(...args: readonly string[]): string {
  return succeeded('npm', [...args, '--loglevel=error']);
}

/**
 * One at a time: around a pack there is a file in the sources that belongs to it.
 * @returns path of the tarball in the folder
 */
export function packInto(folder: string): string {
  const args = [join(root, 'dist/pack.lock'), 'npm', 'pack', '--pack-destination', folder, '--loglevel=error'];
  return join(folder, succeeded('flock', args).trim().split('\n').at(-1) ?? '');
}

function succeeded(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}${stdout}`);
  return stdout;
}
