/** cadenasd's commands as they stand on a line. */
import { Command, Option } from 'commander';
import { addCompletion, treeOf, type Tree } from '../../completion/index.js';
import { limitTable } from '../limits.js';
import { addSettingOptions, askingSettingsOf, commands, optionParser, settingsOf } from '../options.js';
import type { Asked } from './ask.js';
import type { AuditOptions } from './audit.js';
import type { BackupOptions } from './backup.js';
import { Exit, type ExitCode, type Where } from './common.js';
import type { ConfigOptions } from './config.js';
import type { DeleteOptions } from './delete.js';
import type { ExportOptions } from './export.js';
import type { InviteOptions } from './invite.js';
import type { Deleting } from './people.js';
import type { RepairOptions } from './repair.js';
import type { RestoreOptions } from './restore.js';
import type { DrainOptions } from './running.js';
import type { ServiceOptions } from './service.js';
import type { StatusOptions } from './status.js';
import { tools } from './tools.js';
import { howMany, lasting, seconds } from './typed.js';

/** @param argument the command's, if it takes one */
type Run<O> = (where: Where & O, argument: string) => Promise<ExitCode>;

/** The same of a command that asks a daemon. */
type Ask<O> = (where: Asked & O, argument: string) => Promise<ExitCode>;

/** What a command line asked for, and how it ended. */
export class Program {
  readonly root: Command;
  result: ExitCode = Exit.done;
  where: Where | undefined;

  constructor(version: string) {
    this.root = new Command('cadenasd')
      .version(version)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    const json = new Option('--json', 'one JSON object a line');
    this.#add<object>('check', tools.check, json);
    const keys = 'daemon.keys';
    const without = new Option('--without-secrets', 'leaves the OPAQUE setup and the decoy secret out');
    this.#add<BackupOptions>('backup DIR', (where, dir) => tools.backup(where, dir, version), json, keys, without);
    const replace = new Option('--replace', 'moves a store that is there aside');
    this.#add<RestoreOptions>('restore DIR', tools.restore, json, replace, keys);
    const out = new Option('--out <file>', 'a new file that is open to you alone, instead of standard output');
    this.#add<ExportOptions>('export @USER', tools.export, out, keys);
    const since = new Option('--since <time>', 'later ones alone: 30m, 12h, 7d, or a time as 2026-01-31T18:00 (UTC)');
    this.#add<AuditOptions>('audit [@USER]', tools.audit, json, keys, since);
    const yes = new Option('--yes', 'does not ask');
    this.#add<DeleteOptions>('delete @USER', tools.delete, json, yes);
    const dryRun = new Option('--dry-run', 'says what would be done, and does nothing');
    this.#add<RepairOptions>('repair', tools.repair, json, yes, dryRun);
    const expires = new Option('--expires <time>', 'how long they count, as 12h or 7d').argParser(lasting);
    const many = new Option('--count <number>', 'how many').argParser(howMany).default(1);
    this.#ask<InviteOptions>('invite', tools.invite, json, keys, expires.default(lasting('7d'), '7d'), many);
    this.#addAsking(json, yes);
    this.#config(json);
    this.#service('install-service', tools.install, dryRun);
    this.#service('uninstall-service', tools.uninstall, dryRun);
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
  #service(syntax: string, run: (options: ServiceOptions) => Promise<ExitCode>, dryRun: Option): void {
    const root = new Option('--root <dir>', 'the root of another system, which does not run: an image');
    const command = this.root.command(syntax).description(commands[syntax] ?? '');
    command.addOption(dryRun).addOption(root);
    command.action(async (options: ServiceOptions) => {
      this.result = await run(options);
    });
  }

  /** What a daemon that runs is asked. */
  #addAsking(json: Option, yes: Option): void {
    const again = new Option('--watch [seconds]', 'again and again, a live screen on a terminal').argParser(seconds);
    this.#ask<StatusOptions>('status', tools.status, json, again);
    this.#ask<object>('health', tools.health, json);
    this.#ask<object>('user list', tools.listUsers, json);
    this.#ask<object>('user show @NAME', tools.showUser, json);
    this.#ask<object>('user disable @NAME', tools.disableUser, json);
    this.#ask<object>('user enable @NAME', tools.enableUser, json);
    this.#ask<Deleting>('user delete @NAME', tools.deleteUser, json, yes);
    this.#ask<object>('room list', tools.listRooms, json);
    this.#ask<Deleting>('room delete NAME', tools.deleteRoom, json, yes);
    this.#ask<object>('limits [NAME=NUMBER]', tools.limits, json);
    const within = new Option('--within <seconds>', 'how long those who are connected have');
    this.#ask<DrainOptions>('drain', tools.drain, json, within.argParser(seconds).default(30));
    this.#ask<object>('reload', tools.reload, json);
    this.#ask<object>('debug on|off', tools.debug, json);
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
      this.result = await tools.config(command, command.opts<ConfigOptions>());
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
