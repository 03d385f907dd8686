/** What people read of a schema: a file with all defaults, the settings that hold, rows for help and manual. */
import type { Schema, Setting, ValuesOf } from './setting.js';
import { everySetting, type Origins, type Settled } from './settle.js';

const WIDTH = 100;

/** A file that says what holds without it, each key with what it means. @param title lines above all */
export function defaultFile(schema: Schema, title: readonly string[]): string {
  const lines = title.map((line) => `# ${line}`.trimEnd());
  for (const [table, settings] of Object.entries(schema)) {
    lines.push('', '', `[${table}]`);
    for (const [key, setting] of Object.entries(settings)) lines.push(...remarks(setting), assignment(key, setting));
  }
  return `${lines.join('\n')}\n`;
}

function remarks(setting: Setting<unknown>): string[] {
  const { what, otherwise, atStart } = setting;
  const facts = [
    measure(setting),
    ...(otherwise === undefined ? [] : [`left out: ${otherwise}`]),
    ...(atStart ? ['counts from the next start on'] : []),
  ];
  return [
    '',
    ...wrapped(`${what.charAt(0).toUpperCase()}${what.slice(1)}.`).map((line) => `# ${line}`),
    ...wrapped(`(${facts.join('; ')})`).map((line) => `# ${line}`),
  ];
}

/** Range and unit. */
export function measure({ meant, unit }: Setting<unknown>): string {
  return unit === undefined ? meant : `${meant}; unit: ${unit}`;
}

function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

function assignment(key: string, setting: Setting<unknown>): string {
  return setting.value === undefined ? `# ${key} =` : `${key} = ${setting.write(setting.value)}`;
}

/** The settings that hold, each with where it was said; what nobody said and has no default is left out. */
export function settledFile<S extends Schema>(schema: S, { values, origins }: Settled<S>): string {
  const lines: string[] = [];
  for (const [table, settings] of Object.entries(schema)) {
    const rows = Object.entries(settings).flatMap(([key, setting]) => {
      const value = valueOf(values, table, key);
      return value === undefined ? [] : [`${key} = ${setting.write(value)}  # ${originOf(origins, table, key)}`];
    });
    if (rows.length > 0) lines.push(...(lines.length > 0 ? [''] : []), `[${table}]`, ...rows);
  }
  return `${lines.join('\n')}\n`;
}

/** The same for programs; null where nobody said anything and there is no default. */
export function settledRows<S extends Schema>(schema: S, { values, origins }: Settled<S>) {
  return everySetting(schema).map(({ table, key }) => ({
    table,
    key,
    value: valueOf(values, table, key) ?? null,
    origin: originOf(origins, table, key),
  }));
}

function originOf(origins: Origins, table: string, key: string): string {
  return origins.get(`${table}.${key}`) ?? 'default';
}

function valueOf<S extends Schema>(values: ValuesOf<S>, table: string, key: string): unknown {
  return (values as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[table]?.[key];
}

/** The names (`table.key`) of what differs. */
export function differences<S extends Schema>(schema: S, one: ValuesOf<S>, other: ValuesOf<S>): string[] {
  return everySetting(schema).flatMap(({ table, key, setting }) => {
    const [a, b] = [one, other].map((values) => {
      const value = valueOf(values, table, key);
      return value === undefined ? undefined : setting.write(value);
    });
    return a === b ? [] : [`${table}.${key}`];
  });
}
