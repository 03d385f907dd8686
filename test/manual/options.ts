/** What commander knows of a program, for its page. */
import type { Command, Help, Option } from 'commander';
import { roff, tagged, told, within } from './roff.js';

/** `--help` is told once, with the program. */
const isHelp = ({ long }: Option): boolean => long === '--help';

export function optionList(program: Command): string {
  const help = program.createHelp();
  return help
    .visibleOptions(program)
    .map((option) => entry(option, help))
    .join('\n');
}

function entry(option: Option, help: Help): string {
  return tagged(help.optionTerm(option), told(help.optionDescription(option).replace(' (default: false)', '')));
}

/** All commands with their options. @param besides options that are told elsewhere: named alone where a command takes them */
export function commandList(program: Command, besides: Command): string {
  const help = program.createHelp();
  const known = new Set(help.visibleOptions(besides).map(keyOf));
  return leaves(program, help)
    .map(({ path, command }) => commandEntry(path, command, help, known))
    .join('\n');
}

const keyOf = ({ flags, description }: Option): string => `${flags} ${description}`;

interface Leaf {
  readonly path: string;
  readonly command: Command;
}

function leaves(command: Command, help: Help, path = ''): Leaf[] {
  const below = help.visibleCommands(command).filter((one) => one.name() !== 'help');
  return below.flatMap((one) => {
    const name = `${path} ${one.name()}`.trim();
    return one.commands.length > 0 ? leaves(one, help, name) : [{ path: name, command: one }];
  });
}

function commandEntry(path: string, command: Command, help: Help, known: ReadonlySet<string>): string {
  const options = help.visibleOptions(command).filter((option) => !isHelp(option));
  const own = options.filter((option) => !known.has(keyOf(option)));
  const others = options.filter((option) => known.has(keyOf(option))).map(({ long, flags }) => long ?? flags);
  const values = command.registeredArguments.map((argument) => help.argumentTerm(argument));
  const shown = command.registeredArguments.map(({ required }, i) =>
    required ? `<${values[i] ?? ''}>` : `[${values[i] ?? ''}]`,
  );
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const texts = [command.description(), ...(choices.length > 0 ? [`(${choices.join(', ')})`] : [])];
  return [
    tagged([path, ...shown].join(' '), told(texts.join(' '))),
    ...(own.length > 0 ? [within(...own.map((option) => entry(option, help)))] : []),
    ...(others.length > 0 ? ['.IP', `Options as of the program: ${roff(others.join(', '))}`] : []),
  ].join('\n');
}
