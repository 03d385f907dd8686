/** The daemon's log: one line an event, to standard error. Fields hold ids, counts and reasons, never keys or texts. */
import { plainJson, plainLine } from '../plain/plain.js';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, string | number>>;

export interface Log {
  debug(what: string, fields?: Fields): void;
  info(what: string, fields?: Fields): void;
  warn(what: string, fields?: Fields): void;
  error(what: string, fields?: Fields): void;
}

const order: readonly Level[] = ['debug', 'info', 'warn', 'error'];

/* A value from outside may hold anything: quoted, so that a line stays one line. */
function value(field: string | number): string {
  return typeof field === 'number' || /^[\w.:@/+-]+$/.test(field) ? String(field) : plainJson(field);
}

export function makeLog(least: Level, write: (line: string) => void, now: () => number): Log {
  const at =
    (level: Level) =>
    (what: string, fields: Fields = {}): void => {
      if (order.indexOf(level) < order.indexOf(least)) return;
      const rest = Object.entries(fields).map(([key, field]) => ` ${key}=${value(field)}`);
      write(`${new Date(now()).toISOString()} ${level.toUpperCase()} ${plainLine(what)}${rest.join('')}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
