/** A root folder with nothing in it but what a test puts there: another machine, as far as files go. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Copies a program of this machine, with the libraries it is linked to, into the root. @param at its path in there */
export function addProgram(root: string, program: string, at = program): void {
  copyInto(root, program, at);
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  for (const [, library = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) copyInto(root, library, library);
}

function copyInto(root: string, from: string, at: string): void {
  const to = join(root, at);
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

/**
 * What every machine has besides files of its own.
 * @throws Error where that can't be made: by anybody but root
 */
export function addNull(root: string): void {
  mkdirSync(join(root, 'dev'), { recursive: true });
  const { status, stderr } = spawnSync('mknod', ['-m', '666', join(root, 'dev/null'), 'c', '1', '3'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`a bare root is made by root: ${stderr}`);
}

/** The command line that runs a program with that root. */
export function inRoot(root: string, program: string, ...args: readonly string[]): [string, ...string[]] {
  return ['/usr/sbin/chroot', root, program, ...args];
}
