/** The options of a command line that set something, made of the schema. */
import { Option, type Command } from 'commander';
import type { Flag, Schema, Setting } from './setting.js';
import { everySetting, type Said } from './settle.js';

/** @param only names as `table.key`; left out: all that have options */
export function addFlags(command: Command, schema: Schema, only?: readonly string[]): Command {
  for (const { table, key, setting } of everySetting(schema)) {
    if (only && !only.includes(`${table}.${key}`)) continue;
    for (const flag of setting.flags ?? []) command.addOption(optionOf(flag, setting));
  }
  return command;
}

function optionOf({ syntax, means, what }: Flag, setting: Setting<unknown>): Option {
  const told = what ?? (setting.isList ? `${setting.what}; may be repeated` : setting.what);
  const fallback = setting.otherwise ?? (setting.value === undefined ? '' : plainWriting(setting));
  const hasDefault = means === undefined && fallback !== '';
  const option = new Option(syntax, hasDefault ? `${told} (default: ${fallback})` : told);
  /* Shown, and completed; what is none of them is refused with all other settings. */
  if (setting.words && means === undefined) option.argChoices = [...setting.words];
  if (setting.isList)
    option.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
  return option;
}

/** The default as it is typed on a line. */
function plainWriting(setting: Setting<unknown>): string {
  const written = setting.write(setting.value);
  return setting.isList && written === '[]' ? '' : written.replace(/^"(.*)"$/, '$1');
}

/** What a line says, by `table.key`. */
export function saidOn(command: Command, schema: Schema): Map<string, Said> {
  const said = new Map<string, Said>();
  const options = new Map(command.options.map((option) => [option.flags, option]));
  for (const { table, key, setting } of everySetting(schema)) {
    for (const { syntax, means } of setting.flags ?? []) {
      const option = options.get(syntax);
      const attribute = option?.attributeName() ?? '';
      if (!option || command.getOptionValueSource(attribute) !== 'cli') continue;
      const text = means ?? (command.getOptionValue(attribute) as string | readonly string[]);
      said.set(`${table}.${key}`, { name: option.long ?? syntax, text });
    }
  }
  return said;
}
