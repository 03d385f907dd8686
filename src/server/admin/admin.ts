/** cadenasd's commands for the operator: how one of them ends. A composition root beside daemon.ts. */
import { CommanderError } from 'commander';
import { ControlError } from '../../ops/control-client.js';
import { plainLine } from '../../plain/plain.js';
import { errorCode } from '../../store/journal/disk.js';
import { StorageError, StoreRefusal } from '../../store/store.js';
import { isMendable } from '../start/mendable.js';
import { isTrouble } from './ask.js';
import { Exit, folderOf, Mistake, type ExitCode } from './common.js';
import { Program } from './program.js';

/**
 * @param argv what follows the program's name; the first is the name of a command
 * @returns the exit code: 0 done, 1 the operator can mend it, 2 unexpected or the disk, 3 the store is damaged
 */
export async function main(argv: readonly string[], version: string): Promise<number> {
  const program = new Program(version);
  let broken: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    broken ??= error;
  });
  try {
    await program.root.parseAsync(argv, { from: 'user' });
    await new Promise((resolve) => process.stdout.write('', resolve)); // all is out, or could not be
    if (broken === undefined || broken.code === 'EPIPE') return program.result; // who closed the pipe wants no more
    process.stderr.write(`cadenasd: can't write what was found (${broken.code ?? 'error'}); the work itself is done\n`);
    return Exit.failed;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return Exit.done; // help
    const { code, line } = explain(error, program);
    process.stderr.write(`cadenasd: ${plainLine(line.replaceAll('\n', ' '))}\n`);
    return code;
  }
}

function explain(error: unknown, program: Program): { readonly code: ExitCode; readonly line: string } {
  if (error instanceof CommanderError) {
    if (error.code === 'commander.help') return { code: Exit.mistake, line: program.wordsMissing };
    const what = error.message.replace(/^error: /, '').replace(/\.$/, '');
    return { code: Exit.mistake, line: `${what} — see cadenasd --help` };
  }
  if (error instanceof ControlError)
    return { code: isTrouble(error) ? Exit.failed : Exit.mistake, line: error.message };
  if (error instanceof StoreRefusal) return { code: Exit.mistake, line: dashed(error.message) };
  if (error instanceof Mistake || isMendable(error)) return { code: Exit.mistake, line: error.message };
  if (error instanceof StorageError) return { code: Exit.failed, line: dashed(error.message) };
  const { where } = program;
  const system = errorCode(error);
  if (where && system !== undefined)
    return { code: Exit.failed, line: ofDisk(pathOf(error) ?? folderOf(where), system) };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: Exit.failed, line: `unexpected: ${text}` };
}

/** The store writes `what: what to do`. */
function dashed(message: string): string {
  const at = Math.max(message.lastIndexOf(': '), message.lastIndexOf('; '));
  return at < 0 ? message : `${message.slice(0, at)} — ${message.slice(at + 2)}`;
}

function ofDisk(path: string, code: string): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') return `${path}: no room on the disk — free some, then try again`;
  return `${path}: ${code} — check the path, its permissions and the disk`;
}

function pathOf(error: unknown): string | undefined {
  const path = (error as { path?: unknown }).path;
  return typeof path === 'string' ? path : undefined;
}
