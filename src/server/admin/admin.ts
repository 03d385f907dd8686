/** cadenasd's commands for the operator. A composition root beside daemon.ts: names the concrete store. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { plainLine } from '../../plain/plain.js';
import { StorageError, StoreRefusal } from '../../store/store.js';
import { errorCode } from '../../store/journal/disk.js';
import { ControlError } from '../../ops/control-client.js';
import { SocketRefusal } from '../../local/refusal.js';
import { isTrouble, type Asked } from './ask.js';
import { runAudit, type AuditOptions } from './audit.js';
import { runBackup, type BackupOptions } from './backup.js';
import { runCheck } from './check.js';
import { runDelete, type DeleteOptions } from './delete.js';
import { runExport, type ExportOptions } from './export.js';
import { runInvite, type InviteOptions } from './invite.js';
import { Exit, folderOf, Mistake, type ExitCode, type Where } from './common.js';
import {
  deleteRoom,
  deleteUser,
  disableUser,
  enableUser,
  listRooms,
  listUsers,
  showUser,
  type Deleting,
} from './people.js';
import { runDebug, runDrain, runLimits, runReload, showHealth, type DrainOptions } from './running.js';
import { runStatus, type StatusOptions } from './status.js';
import { runRepair, type RepairOptions } from './repair.js';
import { runRestore, type RestoreOptions } from './restore.js';
import { runInstall, runUninstall, type ServiceOptions } from './service.js';
import { SettingMistake } from '../../settings/index.js';
import { addCompletion, treeOf, type Tree } from '../../completion/index.js';
import { limitTable } from '../limits.js';
import { addSettingOptions, askingSettingsOf, commands, optionParser, settingsOf } from '../options.js';
import { runConfig, type ConfigOptions } from './config.js';

/** @param argument the command's, if it takes one */
type Run<O> = (where: Where & O, argument: string) => Promise<ExitCode>;

/** The same of a command that asks a daemon. */
type Ask<O> = (where: Asked & O, argument: string) => Promise<ExitCode>;

/** What a command line asked for, and how it ended. */
class Program {
  readonly root: Command;
  result: ExitCode = Exit.done;
  where: Where | undefined;

  constructor(version: string) {
    this.root = new Command('cadenasd')
      .version(version)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    const json = new Option('--json', 'one JSON object a line');
    this.#add<object>('check', runCheck, json);
    const keys = 'daemon.keys';
    const without = new Option('--without-secrets', 'leaves the OPAQUE setup and the decoy secret out');
    this.#add<BackupOptions>('backup DIR', (where, dir) => runBackup(where, dir, version), json, keys, without);
    const replace = new Option('--replace', 'moves a store that is there aside');
    this.#add<RestoreOptions>('restore DIR', runRestore, json, replace, keys);
    const out = new Option('--out <file>', 'a new file that is open to you alone, instead of standard output');
    this.#add<ExportOptions>('export @USER', runExport, out, keys);
    const since = new Option('--since <time>', 'later ones alone: 30m, 12h, 7d, or a time as 2026-01-31T18:00 (UTC)');
    this.#add<AuditOptions>('audit [@USER]', runAudit, json, keys, since);
    const yes = new Option('--yes', 'does not ask');
    this.#add<DeleteOptions>('delete @USER', runDelete, json, yes);
    const dryRun = new Option('--dry-run', 'says what would be done, and does nothing');
    this.#add<RepairOptions>('repair', runRepair, json, yes, dryRun);
    const expires = new Option('--expires <time>', 'how long they count, as 12h or 7d').argParser(lasting);
    const many = new Option('--count <number>', 'how many').argParser(howMany).default(1);
    this.#ask<InviteOptions>('invite', runInvite, json, keys, expires.default(lasting('7d'), '7d'), many);
    this.#addAsking(json, yes);
    this.#config(json);
    this.#service('install-service', runInstall, dryRun);
    this.#service('uninstall-service', runUninstall, dryRun);
    addCompletion(
      this.root,
      (script) => process.stdout.write(script),
      () => completionTree(version),
    );
  }

  /** Of a line that stopped at a word that takes another. */
  get wordsMissing(): string {
    const group = this.root.commands.find((each) => each.name() === this.root.args[0]);
    const words = group?.commands.map((each) => each.name()) ?? [];
    return `a word is missing: ${words.join(', ')} — see cadenasd ${group?.name() ?? ''} --help`;
  }

  /** It is about the machine, not about a network. */
  #service(syntax: string, run: (options: ServiceOptions) => ExitCode, dryRun: Option): void {
    const root = new Option('--root <dir>', 'the root of another system, which does not run: an image');
    const command = this.root.command(syntax).description(commands[syntax] ?? '');
    command.addOption(dryRun).addOption(root);
    command.action((options: ServiceOptions) => {
      this.result = run(options);
    });
  }

  /** What a daemon that runs is asked. */
  #addAsking(json: Option, yes: Option): void {
    const again = new Option('--watch [seconds]', 'again and again, a live screen on a terminal').argParser(seconds);
    this.#ask<StatusOptions>('status', runStatus, json, again);
    this.#ask<object>('health', showHealth, json);
    this.#ask<object>('user list', listUsers, json);
    this.#ask<object>('user show @NAME', showUser, json);
    this.#ask<object>('user disable @NAME', disableUser, json);
    this.#ask<object>('user enable @NAME', enableUser, json);
    this.#ask<Deleting>('user delete @NAME', deleteUser, json, yes);
    this.#ask<object>('room list', listRooms, json);
    this.#ask<Deleting>('room delete NAME', deleteRoom, json, yes);
    this.#ask<object>('limits [NAME=NUMBER]', runLimits, json);
    const within = new Option('--within <seconds>', 'how long those who are connected have');
    this.#ask<DrainOptions>('drain', runDrain, json, within.argParser(seconds).default(30));
    this.#ask<object>('reload', runReload, json);
    this.#ask<object>('debug on|off', runDebug, json);
  }

  #ask<O>(syntax: string, run: Ask<O>, ...options: readonly (Option | string)[]): void {
    this.#add<O & Pick<Asked, 'control' | 'isNamed'>>(syntax, run, 'daemon.control', ...options);
  }

  /** Where a command belongs: to the program, or to one of its words that takes another. */
  #group(name: string): Command {
    if (name === '') return this.root;
    const known = this.root.commands.find((each) => each.name() === name);
    return known ?? this.root.command(name).description(`about a ${name} of a daemon that runs`);
  }

  /** @param options of commander, or names of settings */
  #name(syntax: string, ...options: readonly (Option | string)[]): Command {
    const [, group = '', own = syntax] = /^(user|room) (.*)$/.exec(syntax) ?? [];
    const command = this.#group(group)
      .command(own.replace(/(?<= )(@?[A-Z]+|on\|off)$/, '<$1>'))
      .description(commands[syntax] ?? '');
    const settings = options.filter((option) => typeof option === 'string');
    addSettingOptions(command, ['daemon.network', ...settings]);
    for (const option of options) if (typeof option !== 'string') command.addOption(option);
    return command;
  }

  #add<O>(syntax: string, run: Run<O>, ...options: readonly (Option | string)[]): void {
    const command = this.#name(syntax, 'daemon.data', ...options);
    command.action(async () => {
      /* What reads keys too takes them from nowhere but the settings. */
      const asksAlone = options.includes('daemon.control') && !options.includes('daemon.keys');
      const { values, origins } = (asksAlone ? askingSettingsOf : settingsOf)(command, process.env);
      const isNamed = origins.has('daemon.network');
      const where = { ...command.opts<Where & O>(), ...values.daemon, isNamed };
      this.where = where;
      this.result = await run(where, command.args[0] ?? '');
    });
  }

  #config(json: Option): void {
    const command = addSettingOptions(this.root.command('config').description(commands['config'] ?? ''))
      .option('--check', 'says whether they can be used, and the files that they name')
      .option('--print-default', 'prints a file with every setting, its meaning, range and default')
      .addOption(json);
    command.action(async () => {
      this.result = await runConfig(command, command.opts<ConfigOptions>());
    });
  }
}

/** All commands, for what is told of them elsewhere. */
export function commandTree(version: string): Command {
  return new Program(version).root;
}

/** The daemon's own options, and these commands: on a line there is either. */
export function completionTree(version: string): Tree {
  const known = { 'name=number': Object.keys(limitTable).map((name) => `${name}=`) };
  const [daemon, { root }] = [treeOf(optionParser(version), known), treeOf(commandTree(version), known)];
  return { ...daemon, root: { ...daemon.root, commands: root.commands } };
}

const HOUR = 3600_000;
const DAYS_MOST = 366;
const MANY = 1_000;

/** In ms. */
function lasting(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? [];
  const ms = Number(number) * (unit === 'd' ? 24 * HOUR : HOUR);
  if (number === undefined || ms > DAYS_MOST * 24 * HOUR)
    throw new InvalidArgumentError(`write hours or days, as 12h or 7d, ${String(DAYS_MOST)}d at most.`);
  return ms;
}

const DAY_S = 86_400;

function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > DAY_S)
    throw new InvalidArgumentError(`write seconds, ${String(DAY_S)} at most.`);
  return Number(text);
}

function howMany(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > MANY)
    throw new InvalidArgumentError(`write a number, ${String(MANY)} at most.`);
  return Number(text);
}

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
  if (error instanceof SocketRefusal) return { code: Exit.mistake, line: error.message };
  if (error instanceof SettingMistake) return { code: Exit.mistake, line: error.message };
  if (error instanceof Mistake) return { code: Exit.mistake, line: error.message };
  if (error instanceof StoreRefusal) return { code: Exit.mistake, line: dashed(error.message) };
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
