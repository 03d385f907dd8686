/**
 * The daemon's log: one line an event, to standard error, written before the call returns. Fields hold ids, counts and
 * reasons, never keys or texts.
 */
import { pino, type Logger } from 'pino';
import { plainJson, plainLine } from '../plain/plain.js';
import { shownAddress, type AddressForm } from './addresses.js';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, string | number>>;

export interface LogOptions {
  /** the least that is written */
  readonly level: Level;
  readonly format: 'text' | 'json';
  /** of fields named `source` */
  readonly addresses: AddressForm;
  /** The journal reads the lines: each begins with its priority, and a text has no time of its own. */
  readonly journald: boolean;
}

export interface Log {
  /** Whether `debug` writes: to be asked first where making the fields costs something. */
  readonly isDebug: boolean;
  debug(what: string, fields?: Fields): void;
  info(what: string, fields?: Fields): void;
  warn(what: string, fields?: Fields): void;
  error(what: string, fields?: Fields): void;
}

/** The log and what an operator changes of it while it runs. */
export interface OperatorLog extends Log {
  /** From the next line on; what is not named stays. Ends what `toggleDebug` began. */
  configure(options: Partial<LogOptions>): void;
  setLevel(level: Level): void;
  /** Debug, and the next time back to the level of the options; a line says which. */
  toggleDebug(): void;
  /** The address as it may be written down elsewhere; empty: not at all. */
  address(source: string): string;
}

/** As syslog counts them (sd-daemon(3)). */
const priorities: Readonly<Record<Level, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/** What a line is made of besides its fields. */
interface Head {
  readonly time: string;
  readonly level: Level;
  readonly message: string;
}
const heads: ReadonlySet<string> = new Set<keyof Head>(['time', 'level', 'message']);

/** @param write takes a whole line, its end included */
export function makeLog(options: LogOptions, write: (line: string) => void, now: () => number): OperatorLog {
  return new PinoLog(options, write, now);
}

class PinoLog implements OperatorLog {
  readonly #pino: Logger;
  #options: LogOptions;
  isDebug = false;

  constructor(options: LogOptions, write: (line: string) => void, now: () => number) {
    this.#options = options;
    this.#pino = pino(
      {
        base: null,
        messageKey: 'message',
        timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
        formatters: { level: (level) => ({ level }), log: (fields) => this.#shown(fields as Fields) },
      },
      {
        write: (json) => {
          write(`${lineOf(JSON.parse(json) as Head & Fields, this.#options)}\n`);
        },
      },
    );
    this.#use(options.level);
  }

  debug(what: string, fields: Fields = {}): void {
    this.#pino.debug(fields, what);
  }
  info(what: string, fields: Fields = {}): void {
    this.#pino.info(fields, what);
  }
  warn(what: string, fields: Fields = {}): void {
    this.#pino.warn(fields, what);
  }
  error(what: string, fields: Fields = {}): void {
    this.#pino.error(fields, what);
  }

  configure(options: Partial<LogOptions>): void {
    this.#options = { ...this.#options, ...options };
    this.#use(this.#options.level);
  }

  setLevel(level: Level): void {
    this.configure({ level });
  }

  toggleDebug(): void {
    const { level } = this.#options;
    if (this.isDebug) {
      this.warn('debug is off'); // while any level still writes it
      this.#use(level === 'debug' ? 'info' : level);
    } else {
      this.#use('debug');
      this.warn('debug is on');
    }
  }

  address(source: string): string {
    return shownAddress(source, this.#options.addresses);
  }

  #use(level: Level): void {
    this.#pino.level = level;
    this.isDebug = level === 'debug';
  }

  /** No field passes for what the line itself says, and none tells more of an address than it may. */
  #shown(fields: Fields): Fields {
    const shown: Record<string, string | number> = {};
    for (const [key, field] of Object.entries(fields)) {
      const told = key === 'source' ? this.address(String(field)) : field;
      if (told !== '' || field === '') shown[heads.has(key) ? `${key}_` : key] = told;
    }
    return shown;
  }
}

function lineOf({ time, level, message, ...fields }: Head & Fields, { format, journald }: LogOptions): string {
  const priority = journald ? `<${String(priorities[level])}>` : '';
  if (format === 'json') return priority + plainJson({ time, level, message, ...fields });
  const rest = Object.entries(fields).map(([key, field]) => ` ${key}=${value(field)}`);
  return `${priority}${journald ? '' : `${time} `}${level.toUpperCase()} ${plainLine(message)}${rest.join('')}`;
}

/* A value from outside may hold anything: quoted, so that a line stays one line. */
function value(field: string | number): string {
  return typeof field === 'number' || /^[\w.:@/+-]+$/.test(field) ? String(field) : plainJson(field);
}
