/** A Containerfile read as engines read it, as far as ours goes: what is not known here is an error. */

export interface Instruction {
  readonly line: number;
  readonly name: string;
  /** `--from=x` and the like, before the arguments */
  readonly flags: Readonly<Record<string, string>>;
  readonly rest: string;
}

/** @throws Error with the line that is none */
export function parseContainerfile(text: string): Instruction[] {
  const instructions: Instruction[] = [];
  let begun = '';
  for (const [at, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    begun += line.replace(/\\$/, '');
    if (line.endsWith('\\')) continue;
    const [, name, flags, rest] = /^([A-Z]+)((?: +--[a-z-]+=\S+)*) +(.+)$/.exec(begun) ?? [];
    if (name === undefined || rest === undefined) throw new Error(`line ${at + 1} is no instruction: ${begun}`);
    const pairs = [...(flags ?? '').matchAll(/--([a-z-]+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]);
    instructions.push({ line: at + 1, name, flags: Object.fromEntries(pairs) as Record<string, string>, rest });
    begun = '';
  }
  if (begun !== '') throw new Error('the last instruction does not end');
  return instructions;
}

/** The exec form: a list of words. */
export function words({ line, rest }: Instruction): string[] {
  const list: unknown = JSON.parse(rest);
  if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list;
  throw new Error(`line ${line}: a list of words is expected`);
}

/** `NAME=value …`, no value with a space or a variable in it. */
export function assignments({ line, rest }: Instruction): [string, string][] {
  return rest.split(/ +/).map((pair) => {
    const [, name, value] = /^([A-Z_]+)=([^$"'\\]+)$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) throw new Error(`line ${line}: ${pair} is no assignment`);
    return [name, value];
  });
}
