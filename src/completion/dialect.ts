/** What the scripts for all shells have in common: tables of what is offered, by the commands that stand before. */
import type { OfferedCommand, OfferedOption, Tree, Value } from './tree.js';

/** A command, and the names of those that lead to it, without the program's: `user list`. */
export interface Placed {
  readonly at: string;
  readonly command: OfferedCommand;
}

export function everyCommand({ root }: Tree): readonly Placed[] {
  const below = (command: OfferedCommand, at: string): Placed[] => [
    { at, command },
    ...command.commands.flatMap((one) => below(one, `${at} ${one.name}`.trim())),
  ];
  return below(root, '');
}

export interface OptionValue {
  /** undefined: behind every command */
  readonly at: string | undefined;
  readonly spelling: string;
  readonly value: string;
}

/** What options take, as the scripts write it; a command's own stand before those of all. */
export function optionValues(tree: Tree): readonly OptionValue[] {
  const rows = (at: string | undefined, options: readonly OfferedOption[]): OptionValue[] =>
    options.flatMap(({ spellings, value }) =>
      value ? spellings.map((spelling) => ({ at, spelling, value: written(value) })) : [],
    );
  const own = everyCommand(tree).flatMap(({ at, command }) => rows(at, command.options));
  return [...own, ...rows(undefined, tree.everywhere)];
}

/** `:file`, `:folder`, `:anything`, or the words; behind a + where it may be left out. */
export function written({ kind, words, isOptional }: Value): string {
  return `${isOptional ? '+' : ''}${kind === 'words' ? words.join(' ') : `:${kind}`}`;
}

/** A program's name as part of the name of a function. */
export function identifier(program: string): string {
  return program.replaceAll('-', '_');
}

/** Between single quotes of bash and zsh; a line for people, so that what would break it goes. */
export function quoted(text: string): string {
  return `'${text.replaceAll(/\p{Cc}/gu, ' ').replaceAll("'", "'\\''")}'`;
}
