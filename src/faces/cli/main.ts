/** The command line of a Cadenas client. Everything that a network is made of comes as `linked`. */
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { linkedGenerations, type LinkedNetwork } from '../../../protocol/index.js';
import { Exit } from '../../client/index.js';
import { agent, login, logout, register, status, whoami, type Told } from './account.js';
import { addCompletion, treeOfEverywhere } from '../../completion/index.js';
import { addAccountCommands } from './account-commands.js';
import { adder, first, second, type Perform } from './commands.js';
import { chat } from './chat.js';
import { configFolder, defaultHome, Profile } from './compose.js';
import { addConfigCommand } from './config.js';
import { mistake, toClientError } from './failure.js';
import type { Host } from './host.js';
import { addKeysCommands } from './keys-commands.js';
import { addGlobalOptions, globalOptions, sameAgain, seconds } from './options.js';
import { Output, OutputGone } from './output.js';
import { Prompter } from './prompt.js';
import { addRoomCommands } from './rooms.js';
import type { Run } from './run.js';
import { addSecurityCommands } from './second-factor.js';
import { secretsFrom } from './secrets.js';
import { addSessionCommands } from './sessions.js';
import { readSettings } from './settings.js';
import { addSecretsCommands } from './secrets-commands.js';
import { signalExit, untilSignal } from './signals.js';
import { contacts, history, receipts, receive, relate, send } from './talk.js';
import { verify } from './verify.js';

/**
 * Runs one command to its end; everything it opened is closed when this resolves.
 * @param argv without program and script
 * @param replaced parts of the process, for tests
 * @returns the exit code (docs/cli.md)
 */
export async function main(
  linked: LinkedNetwork,
  argv: readonly string[],
  replaced: Partial<Host> = {},
): Promise<number> {
  const abort = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (abort.signal.aborted) process.exit(signalExit(signal));
    abort.abort(signal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const host: Host = {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    self: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
    signal: abort.signal,
    interrupt: () => {
      onSignal('SIGINT');
    },
    ...replaced,
  };
  const output = new Output(host.stdout, host.stderr, argv.includes('--json'));
  try {
    const exit = await outcome(linked, argv, host, output);
    /* What a command was waiting for may keep the process for long: its sockets and timers are still there. */
    if (abort.signal.aborted) process.exit(exit);
    return exit;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

async function outcome(linked: LinkedNetwork, argv: readonly string[], host: Host, output: Output): Promise<number> {
  try {
    return await runCommand(linked, argv, host, output);
  } catch (thrown) {
    if (thrown instanceof OutputGone) return Exit.done;
    return failed(thrown, output);
  }
}

async function failed(thrown: unknown, output: Output): Promise<number> {
  const failure = toClientError(thrown);
  try {
    await output.trouble(failure.trouble);
  } catch (gone) {
    if (!(gone instanceof OutputGone)) throw gone;
  }
  return failure.exit;
}

async function runCommand(linked: LinkedNetwork, argv: readonly string[], host: Host, output: Output): Promise<number> {
  let exit: number = Exit.done;
  const program = commandTable(linked, host, output, (command, work) => {
    const usualHome = defaultHome(host.env);
    const settings = readSettings(program, linked, configFolder(host.env), host.env);
    const options = globalOptions(program, settings, usualHome);
    output.program = [ownName(host.self), ...sameAgain(program, settings, usualHome)].join(' ');
    if (options.warning !== undefined) output.note(options.warning);
    const log = (line: string): void => {
      if (options.debug) output.note(line);
    };
    const run: Run = {
      host,
      options,
      settings,
      output,
      profile: new Profile(linked, options, log),
      prompter: new Prompter(host),
      given: secretsFrom({ file: options.secretsFile, descriptor: options.secretsFd }),
    };
    /* These go on until a signal, which is their good end. */
    const endsItself = ['agent', 'chat'].includes(command.name()) || command.opts()['follow'] === true;
    return untilSignal(run, work, endsItself).then((code) => {
      exit = code;
    });
  });
  try {
    const { operands, unknown } = program.parseOptions([...argv]);
    const isAlone = operands.length === 0 && unknown.length === 0;
    await program.parseAsync(isAlone ? ['chat', ...argv] : argv, { from: 'user' });
    return exit;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return Exit.done;
    const group = program.commands.find((one) => one.commands.length > 0 && one.name() === program.args[0]);
    const help = group ? `see cadenas ${group.name()} --help` : 'see cadenas --help';
    if (thrown.code === 'commander.help') throw mistake('usage', 'no command', help);
    const message = thrown.message.replace(/^error: /, '').replaceAll('\n', ' ');
    const loose = thrown.code === 'commander.excessArguments' ? /'(send|verify)'/.exec(message)?.[1] : undefined;
    throw mistake('usage', message, loose ? `put the ${loose === 'send' ? 'text' : 'digits'} in quotes` : help);
  }
}

/** As it can be typed again; a client may lie anywhere and is named by its file alone. */
function ownName(self: readonly string[]): string {
  const started = self.at(-1) ?? '';
  if (started === resolve('bin/cadenas')) return 'bin/cadenas'; // in the folder of the sources
  const file = /\/(\w[\w.-]*\.mjs)$/.exec(started)?.[1];
  return file === undefined ? 'cadenas' : `node ${file}`;
}

/** What an operator asks for when a client is turned away. */
function versionText(linked: LinkedNetwork): string {
  const generations = linkedGenerations(linked).map(({ generation }) => generation);
  return [
    `${linked.version} (network ${linked.network}, build ${String(linked.build)})`,
    `keys     generation ${generations.join(' and ')}`,
    `software ${linked.software}`,
    `table    ${linked.table}`,
  ].join('\n');
}

/** All commands on one screen. */
export function commandTable(
  linked: LinkedNetwork,
  host: Pick<Host, 'stdout'>,
  output: Output,
  perform: Perform,
): Command {
  const program = addGlobalOptions(new Command('cadenas'), linked)
    .description(
      `Private conversations and rooms on the network ${linked.network}. Without a command: the terminal interface.`,
    )
    .version(versionText(linked))
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: () => undefined, // `runCommand` tells it as one line
    })
    .allowExcessArguments(false);
  const add = adder(program, perform);

  add('chat', 'the terminal interface; the same without a command', (run) => chat(run));
  add('register <@name>', 'make an account and this profile', (run, args, options) =>
    register(run, first(args), options as Told, options['2fa'] === true),
  )
    .option('--2fa', 'turn on a second factor too')
    .option('--invitation <code>', 'where the network asks for one')
    .option('--full-name <text>', 'kept sealed by the daemon, shown to nobody else')
    .option('--email <address>', 'the same; a code is sent there, to be typed here');
  add('login', 'log in, and stay so in the background until logout', (run) => login(run));
  add('logout', 'end the session', (run) => logout(run));
  add('whoami', 'who this profile is', (run) => whoami(run));
  add('status', 'connection, unread and waiting messages', (run) => status(run));
  add('contacts', 'the contact book', (run, _args, options) => contacts(run, options['check'] === true)) //
    .option('--check', 'ask the daemon for everybody’s keys and compare');
  add('add <@user>', 'ask somebody to talk', (run, args) => relate(run, 'add', first(args)));
  add('accept <@user>', 'accept who asked you', (run, args) => relate(run, 'accept', first(args)));
  add('decline <@user>', 'decline who asked you', (run, args) => relate(run, 'decline', first(args)));
  add('block <@user>', 'take nothing from somebody any more', (run, args) => relate(run, 'block', first(args)));
  add('verify <@user>', 'compare your keys with somebody’s by a safety number', (run, args, options) =>
    verify(run, first(args), {
      confirm: options['confirm'] === true,
      reject: options['reject'] === true,
      qr: options['qr'] === true,
      compare: options['compare'] as string | undefined,
    }),
  )
    .option('--confirm', 'you compared it, and it is the same')
    .option('--qr', 'show it as a QR code too')
    .option('--compare <code>', 'compare it here with what their QR code says, or their digits')
    .option('--reject', 'the keys that came are not theirs: keep the former');
  add('send <@user> <text>', 'send a text; - reads it from standard input', (run, args) =>
    send(run, first(args), second(args)),
  );
  add('receive', 'print what is unread', (run, _args, options) =>
    receive(run, options['follow'] === true, options['timeout'] as number | undefined),
  )
    .option('--follow', 'go on printing what comes')
    .option('--timeout <seconds>', 'end --follow after this long', seconds);
  add('history <@user>', 'both sides of a conversation, as far as it is kept', (run, args) =>
    history(run, first(args)),
  );
  add('receipts [on|off]', 'whether contacts are told what you have read', (run, args) => receipts(run, first(args)));
  addSecurityCommands(program, perform);
  addSessionCommands(program, perform);
  addRoomCommands(program, perform);
  addAccountCommands(program, perform);
  addSecretsCommands(program, perform);
  addKeysCommands(program, perform);
  addConfigCommand(program, linked, perform, output);
  addCompletion(
    program,
    (script) => host.stdout.write(script),
    () => treeOfEverywhere(program),
  );
  program.command('agent', { hidden: true }).action((_options, command: Command) => perform(command, agent));
  return program;
}
