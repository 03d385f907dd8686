/** Pages in man's macros. All texts pass through here, whatever stands in them: a page is ASCII, and no text a request. */

const WIDTH = 78;

const named: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** A text as roff shows it, on one line. */
export function roff(text: string): string {
  const line = [...text.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, ' ')].map(character).join('');
  return line.startsWith('.') ? `\\&${line}` : line;
}

function character(one: string): string {
  const code = one.codePointAt(0) ?? 0;
  return named[one] ?? (code < 0x7f ? one : `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`);
}

/** A text of ours: what stands between ` is bold. */
export function prose(text: string): string {
  let isBold = false;
  const marked = (line: string): string => {
    const [first = '', ...others] = line.split('`');
    const parts = others.map((part) => {
      isBold = !isBold;
      return `${isBold ? '\\fB' : '\\fR'}${roff(part).replace(/^\\&/, '')}`;
    });
    return `${roff(first)}${parts.join('')}`;
  };
  return folded(text).map(marked).join('\n');
}

/** Text that a program says of itself: no character of it means anything here. */
export function told(text: string): string {
  return folded(text).map(roff).join('\n');
}

function folded(text: string): readonly string[] {
  const lines = [''];
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines[0] === '' ? ['\\&'] : lines;
}

/** A heading begins a paragraph by itself. */
export const section = (title: string, ...parts: readonly string[]): string =>
  [`.SH ${roff(title.toUpperCase())}`, parts.join('\n').replace(/^\.PP\n/, '')].join('\n');

export const subsection = (title: string, ...parts: readonly string[]): string =>
  [`.SS ${roff(title)}`, ...parts].join('\n');

export const paragraph = (text: string): string => `.PP\n${prose(text)}`;

/** @param what already in roff */
export const tagged = (term: string, ...what: readonly string[]): string =>
  ['.TP', `.B ${roff(term)}`, ...what].join('\n');

/** What belongs to the entry before, further in. */
export const within = (...parts: readonly string[]): string => ['.RS', ...parts, '.RE'].join('\n');

/** Rows of handwritten terms and texts. */
export const rows = (table: Readonly<Record<string, string>>): string =>
  Object.entries(table)
    .map(([term, what]) => tagged(term, prose(what)))
    .join('\n');

/** Lines as they are typed. */
export const example = (...lines: readonly string[]): string =>
  ['.PP', '.RS 4', '.nf', ...lines.map((line) => (line === '' ? '\\&' : roff(line))), '.fi', '.RE'].join('\n');

export interface Page {
  readonly name: string;
  readonly section: 1 | 5 | 8;
  /** one line, without a full stop */
  readonly what: string;
  readonly parts: readonly string[];
}

/** @param version of the programs */
export function page({ name, section: number, what, parts }: Page, version: string): string {
  return [
    '.\\" Made of what the programs know: npm run manual',
    `.TH ${roff(name.toUpperCase())} ${String(number)} "" "cadenas ${roff(version)}" "Cadenas"`,
    '.nh', // a name that is cut can't be copied
    '.ad l',
    section('Name', `${roff(name)} \\- ${roff(what)}`),
    ...parts,
    '',
  ].join('\n');
}
