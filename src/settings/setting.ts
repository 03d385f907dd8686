/** What can be set: one description of each, from which files, environment and command line are read, and documents made. */

/** An option of the command line that sets it. */
export interface Flag {
  /** as `--listen <host:port>`; without `<…>` it takes nothing and says `means` */
  readonly syntax: string;
  /** the text that an option without a value stands for */
  readonly means?: string;
  /** for `--help`, where it is not what the setting says of itself */
  readonly what?: string;
}

export interface About<V> {
  /** for people, without a full stop */
  readonly what: string;
  /** what it is where nobody says anything; undefined: nothing */
  readonly value: V;
  /** of a number */
  readonly unit?: string;
  readonly flags?: readonly Flag[];
  /** a reload does not change it: it counts from the next start on */
  readonly atStart?: true;
  /** in the place of a default, for people: what follows from elsewhere */
  readonly otherwise?: string;
}

export interface Setting<V> extends About<V> {
  /** what may be written, in words: `a whole number from 1 to 9` */
  readonly meant: string;
  /** a name of a file or folder: in a file it is seen from the file's folder */
  readonly isPath?: true;
  /** the words of which it is one */
  readonly words?: readonly string[];
  /** takes several */
  readonly isList?: true;
  /** what a person typed as the value that a file would have; a text that is none stays one */
  typed(text: string): unknown;
  /** @returns undefined where it can't be this */
  read(value: unknown): V | undefined;
  /** as a file has it */
  write(value: V): string;
}

export type Schema = Readonly<Record<string, Readonly<Record<string, Setting<unknown>>>>>;

/** What a schema's settings come to. */
export type ValuesOf<S extends Schema> = {
  readonly [T in keyof S]: { readonly [K in keyof S[T]]: S[T][K] extends Setting<infer V> ? V : never };
};

const quoted = (value: unknown): string => JSON.stringify(value);
const asTyped = (text: string): unknown => text;

/** A whole number, `from` and `to` included. */
export function whole<D extends number | undefined>(from: number, to: number, about: About<D>): Setting<number | D> {
  return {
    ...about,
    meant: `a whole number from ${String(from)} to ${String(to)}`,
    typed: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
    read: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to ? value : undefined,
    write: String,
  };
}

/** One of some words. */
export function oneOf<W extends string, D extends W | undefined>(words: readonly W[], about: About<D>): Setting<W | D> {
  const listed = words.map((word) => `"${word}"`).join(', ');
  return {
    ...about,
    meant: listed.replace(/, ([^,]*)$/, ' or $1'),
    words,
    typed: asTyped,
    read: (value) => words.find((word) => word === value),
    write: quoted,
  };
}

export function yesOrNo<D extends boolean | undefined>(about: About<D>): Setting<boolean | D> {
  return {
    ...about,
    meant: 'true or false',
    typed: (text) => (text === 'true' ? true : text === 'false' ? false : text),
    read: (value) => (typeof value === 'boolean' ? value : undefined),
    write: String,
  };
}

/** @param take undefined where the text can't be this. @param write the text again, where it became something else */
export function text<V, D extends V | undefined>(
  meant: string,
  take: (text: string) => V | undefined,
  about: About<D>,
  write: (value: V) => string = String,
): Setting<V | D> {
  return {
    ...about,
    meant: `${meant}, in quotes`,
    typed: asTyped,
    read: (value) => (typeof value === 'string' ? take(value) : undefined),
    write: (value) => quoted(write(value as V)),
  };
}

const PATH_MAX = 1_024;

export function path<D extends string | undefined>(about: About<D>): Setting<string | D> {
  /* A shell knows ~, a file does not: a folder of that name would be made. */
  const fits = (name: string): string | undefined =>
    name.length > 0 && name.length <= PATH_MAX && !/\p{Cc}|^~/u.test(name) ? name : undefined;
  return { ...text('a path, ~ written out', fits, about), isPath: true };
}

/** At most so many in a list: more is a mistake of whoever wrote it. */
const LIST_MAX = 64;

/** Several texts, each of which passes `take`. On a line the option is repeated; in the environment commas stand between. */
export function texts(
  meant: string,
  take: (text: string) => string | undefined,
  about: About<readonly string[]>,
): Setting<readonly string[]> {
  return {
    ...about,
    meant: `a list of ${meant}, each in quotes`,
    isList: true,
    typed: (typed) => (typed === '' ? [] : typed.split(',').map((each) => each.trim())),
    read: (value) => {
      if (!Array.isArray(value) || value.length > LIST_MAX) return undefined;
      const taken = value.flatMap((each) => (typeof each === 'string' ? (take(each) ?? []) : []));
      return taken.length === value.length ? taken : undefined;
    },
    write: (value) => `[${value.map(quoted).join(', ')}]`,
  };
}
