/** What this program says of itself: where it lies, its version, its opcode table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeSync } from '../crypto/index.js';
import { tableHash } from '../../protocol/index.js';

/** The folder of package.json: this file is dist/src/keys/program.js when it runs. */
export const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));

export interface Program {
  readonly version: string;
  /** The version as a number, u32: major · 10^6 + minor · 10^3 + patch */
  readonly build: number;
  /** 32 bytes */
  readonly table: Uint8Array;
}

/** @throws RangeError where it is not `major.minor.patch`, each of the latter two below 1000 */
export function buildNumber(version: string): number {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(version);
  if (!match) throw new RangeError(`a version is three numbers below 1000, not ${version}`);
  const [, major, minor, patch] = match;
  return Number(major) * 1_000_000 + Number(minor) * 1000 + Number(patch);
}

export function thisProgram(): Program {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return { version, build: buildNumber(version), table: tableHash((bytes) => nodeSync.sha256(bytes)) };
}
