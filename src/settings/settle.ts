/** What holds of all that was said: an option of the line before the environment, that before the file, that before the default. */
import { dirname, resolve } from 'node:path';
import { SettingMistake, shown } from './mistake.js';
import { nearest } from './nearest.js';
import type { Schema, Setting, ValuesOf } from './setting.js';
import { placeOf, type TomlFile } from './toml-file.js';

/** What an option of the line says: its name, and its text; several where it may be repeated. */
export interface Said {
  readonly name: string;
  readonly text: string | readonly string[];
}

export interface Sources {
  readonly file?: TomlFile | undefined;
  readonly environment?: {
    /** as `CADENASD_`: then TABLE_KEY */
    readonly prefix: string;
    /** names with that prefix that are read elsewhere */
    readonly others: readonly string[];
    readonly values: Readonly<Record<string, string | undefined>>;
  };
  /** by `table.key` */
  readonly flags?: ReadonlyMap<string, Said>;
}

/** Where a value was said: `--listen`, `CADENASD_DAEMON_LISTEN`, `/etc/cadenas/cadenasd.toml:3`. */
export type Origins = ReadonlyMap<string, string>;

export interface Settled<S extends Schema> {
  readonly values: ValuesOf<S>;
  /** by `table.key`; what has its default is not in it */
  readonly origins: Origins;
}

export function variableOf(prefix: string, table: string, key: string): string {
  return `${prefix}${table}_${key}`.toUpperCase().replaceAll('-', '_');
}

/** @throws SettingMistake at the first thing that is unknown or can't be what it says */
export function settle<S extends Schema>(schema: S, sources: Sources): Settled<S> {
  const origins = new Map<string, string>();
  const said = new Map<string, unknown>();
  const take = (from: ReadonlyMap<string, { readonly value: unknown; readonly origin: string }>): void => {
    for (const [name, { value, origin }] of from) {
      said.set(name, value);
      origins.set(name, origin);
    }
  };
  if (sources.file) take(ofFile(schema, sources.file));
  if (sources.environment) take(ofEnvironment(schema, sources.environment));
  if (sources.flags) take(ofFlags(schema, sources.flags));
  const tables = Object.entries(schema).map(([table, settings]): [string, object] => {
    const values = Object.entries(settings).map(([key, { value }]): [string, unknown] => {
      const name = `${table}.${key}`;
      return [key, said.has(name) ? said.get(name) : value];
    });
    return [table, Object.fromEntries(values)];
  });
  return { values: Object.fromEntries(tables) as ValuesOf<S>, origins };
}

type Taken = Map<string, { readonly value: unknown; readonly origin: string }>;

function ofFile(schema: Schema, file: TomlFile): Taken {
  const taken: Taken = new Map();
  for (const [table, content] of Object.entries(file.top)) {
    const settings = Object.hasOwn(schema, table) ? schema[table] : undefined;
    if (!settings) {
      const what = `there is no table or key ${shown(table)}`;
      throw new SettingMistake(`${placeOf(file, table, '')}: ${what} — ${meantName(table, Object.keys(schema))}`);
    }
    for (const [key, value] of Object.entries(asTable(file, table, content))) {
      const setting = Object.hasOwn(settings, key) ? settings[key] : undefined;
      const origin = placeOf(file, table, key);
      if (!setting)
        throw new SettingMistake(
          `${origin}: [${table}] has no ${shown(key)} — ${meantName(key, Object.keys(settings))}`,
        );
      const read = setting.read(value);
      if (read === undefined)
        throw new SettingMistake(`${origin}: ${key} in [${table}] can't be this — write ${setting.meant}`);
      const seen = setting.isPath ? resolve(dirname(file.path), read as string) : read;
      taken.set(`${table}.${key}`, { value: seen, origin });
    }
  }
  return taken;
}

function asTable(file: TomlFile, table: string, content: unknown): object {
  /* A date is an object too, without a key of its own: it would pass for an empty table. */
  if (typeof content === 'object' && content !== null && !(Array.isArray(content) || content instanceof Date))
    return content;
  throw new SettingMistake(`${placeOf(file, table, '')}: ${table} is a table — write [${table}] and its keys below`);
}

function meantName(typed: string, known: readonly string[]): string {
  const near = nearest(shown(typed), known);
  return near === undefined ? `it may be one of: ${known.join(', ')}` : `did you mean "${near}"?`;
}

function ofEnvironment(schema: Schema, { prefix, others, values }: NonNullable<Sources['environment']>): Taken {
  const taken: Taken = new Map();
  const known = new Map(everySetting(schema).map((each) => [variableOf(prefix, each.table, each.key), each]));
  for (const [variable, typed] of Object.entries(values)) {
    if (!variable.startsWith(prefix) || typed === undefined || others.includes(variable)) continue;
    const found = known.get(variable);
    if (!found) {
      const near = meantVariable(variable, prefix, [...known.keys()]);
      const advice = near === undefined ? 'unset it, or see the manual' : `did you mean ${near}?`;
      throw new SettingMistake(`${shown(variable)} in the environment means nothing — ${advice}`);
    }
    taken.set(`${found.table}.${found.key}`, { value: typedValue(found.setting, typed, variable), origin: variable });
  }
  return taken;
}

/** Near to it, or the same with its table left out. */
function meantVariable(variable: string, prefix: string, known: readonly string[]): string | undefined {
  const lower = known.map((name) => name.toLowerCase());
  const near = nearest(shown(variable).toLowerCase(), lower)?.toUpperCase();
  return near ?? known.find((name) => name.endsWith(`_${variable.slice(prefix.length)}`));
}

function ofFlags(schema: Schema, flags: NonNullable<Sources['flags']>): Taken {
  const taken: Taken = new Map();
  for (const { table, key, setting } of everySetting(schema)) {
    const said = flags.get(`${table}.${key}`);
    if (said) taken.set(`${table}.${key}`, { value: typedValue(setting, said.text, said.name), origin: said.name });
  }
  return taken;
}

function typedValue(setting: Setting<unknown>, typed: string | readonly string[], where: string): unknown {
  const value = setting.read(typeof typed === 'string' ? setting.typed(typed) : typed);
  if (value !== undefined) return value;
  throw new SettingMistake(`${where} can't be this — write ${setting.meant.replace(/, (each )?in quotes$/, '')}`);
}

export interface Placed {
  readonly table: string;
  readonly key: string;
  readonly setting: Setting<unknown>;
}

export function everySetting(schema: Schema): readonly Placed[] {
  return Object.entries(schema).flatMap(([table, settings]) =>
    Object.entries(settings).map(([key, setting]) => ({ table, key, setting })),
  );
}
