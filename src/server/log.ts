/** What the daemon needs of a log; `ops/log.ts` is one. */
export interface Log {
  /** Whether `debug` writes. */
  readonly isDebug: boolean;
  debug(what: string, fields?: Readonly<Record<string, string | number>>): void;
  info(what: string, fields?: Readonly<Record<string, string | number>>): void;
  warn(what: string, fields?: Readonly<Record<string, string | number>>): void;
  error(what: string, fields?: Readonly<Record<string, string | number>>): void;
}
