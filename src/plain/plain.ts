/**
 * The one way in which text of others reaches a terminal: no control character, no direction mark, no lone
 * surrogate gets through; each is shown as its number.
 */

/* C0 and C1 controls, direction marks and overrides, line separators, byte order mark, tags, lone surrogates. */
const harmful =
  // eslint-disable-next-line no-control-regex -- finding control characters is the purpose
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** One line, whatever it was. */
export function plainLine(text: string): string {
  return text.replaceAll('\t', ' ').replace(harmful, shown);
}

/** A text with its own line breaks, continuation lines indented so that none can pass for another message. */
export function plainText(text: string, indent: string): string {
  return text
    .split(/\r\n|\n/)
    .map(plainLine)
    .join(`\n${indent}`);
}

/** JSON on one line, in which everything harmful is escaped: safe to print, and the same value to a program. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value).replace(harmful, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
