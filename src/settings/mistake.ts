/** Something that was set wrongly and can be mended: one line, with its place: `what happened — what to do`. */
export class SettingMistake extends Error {
  override readonly name = 'SettingMistake';
}

/** Of a name that somebody wrote at most so much is told, in characters. */
const SHOWN_MAX = 64;

/** A name that nobody checked, as part of one line. */
export function shown(name: string): string {
  const line = name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX)}…` : line;
}
