/** The daemon's program as an operator runs it: a command to its end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from './temp.js';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export async function cadenasd(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(root, 'bin/cadenasd'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}
