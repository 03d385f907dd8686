/** What a command line offers, read off a program of commander: nothing of it is run. */
import type { Argument, Command, Help, Option } from 'commander';

/** What stands after an option, or as an argument. `anything`: nobody but the person knows. */
export interface Value {
  readonly kind: 'file' | 'folder' | 'words' | 'anything';
  /** of kind `words`, else empty; what goes on ends in = */
  readonly words: readonly string[];
  readonly isOptional: boolean;
}

export interface OfferedOption {
  /** as --help and -h */
  readonly spellings: readonly string[];
  readonly what: string;
  readonly value: Value | undefined;
}

export interface OfferedCommand {
  readonly name: string;
  readonly what: string;
  readonly options: readonly OfferedOption[];
  readonly values: readonly Value[];
  readonly commands: readonly OfferedCommand[];
}

export interface Tree {
  readonly root: OfferedCommand;
  /** options that may stand behind every command, besides its own */
  readonly everywhere: readonly OfferedOption[];
}

/** Words for what is written as `<name=number>` and the like, by that, in small letters. */
type Known = Readonly<Record<string, readonly string[]>>;

const kinds: Readonly<Record<string, Value['kind']>> = { file: 'file', path: 'file', dir: 'folder' };

/** What a shell takes as it is, between quotes and without. */
const HARMLESS = /^[A-Za-z0-9@._=-]+$/;

/**
 * @param known words that commander does not know
 * @throws RangeError where a name has characters that would have to be quoted
 */
export function treeOf(root: Command, known: Known = {}): Tree {
  const help = root.createHelp();
  return { root: commandOf(root, help, known), everywhere: [] };
}

/** The same of a program whose options may stand behind its commands too, as commander has it without more. */
export function treeOfEverywhere(root: Command, known: Known = {}): Tree {
  const { root: offered } = treeOf(root, known);
  const own = ['--help', '--version'];
  return { root: offered, everywhere: offered.options.filter(({ spellings }) => !own.includes(spellings[0] ?? '')) };
}

function commandOf(command: Command, help: Help, known: Known): OfferedCommand {
  return {
    name: harmless(command.name()),
    what: firstSentence(command.description()),
    options: help.visibleOptions(command).map((option) => optionOf(option, known)),
    values: command.registeredArguments.map((argument) => valueOf(argument.name(), argument, known)),
    commands: help
      .visibleCommands(command)
      .filter((one) => one.name() !== 'help')
      .map((one) => commandOf(one, help, known)),
  };
}

function optionOf(option: Option, known: Known): OfferedOption {
  const { flags, long, short, required, optional, description } = option;
  const placeholder = /[<[]([^\]>]*)[\]>]/.exec(flags)?.[1] ?? '';
  return {
    spellings: [long, short].flatMap((spelling) => (spelling === undefined ? [] : [harmless(spelling)])),
    what: description.replace(/ \(default: .*\)$/, ''),
    value: required || optional ? valueOf(placeholder, option, known) : undefined,
  };
}

function valueOf(name: string, { required, argChoices }: Option | Argument, known: Known): Value {
  const placeholder = name.toLowerCase();
  const alternatives = /^[a-z]+(\|[a-z]+)+$/.test(placeholder) ? placeholder.split('|') : undefined;
  const words = argChoices ?? known[placeholder] ?? alternatives;
  const kind = words ? 'words' : (kinds[placeholder] ?? 'anything');
  return { kind, words: (words ?? []).map(harmless), isOptional: !required };
}

function harmless(word: string): string {
  if (HARMLESS.test(word)) return word;
  throw new RangeError(`a shell would not take ${JSON.stringify(word)} as it is`);
}

/** A row is what a shell shows of it. */
function firstSentence(text: string): string {
  return text.replace(/(?<=[^.]{3})\.(\s.*)?$/su, '');
}
