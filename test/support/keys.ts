/** What a terminal of xterm's kind sends for a key. */

const PLAIN: Readonly<Record<string, string>> = {
  enter: '\r',
  esc: '\x1b',
  tab: '\t',
  space: ' ',
  backspace: '\x7f',
  'shift-tab': '\x1b[Z',
  'ctrl-space': '\0',
  'ctrl-/': '\x1f',
  'ctrl-backspace': '\b',
};

/** Last letter of what is sent: CSI, or SS3 where the program asked for application keys. */
const LETTER: Readonly<Record<string, string>> = {
  up: 'A',
  down: 'B',
  right: 'C',
  left: 'D',
  end: 'F',
  home: 'H',
};

/** F1 to F4 begin with SS3 always. */
const FUNCTION: Readonly<Record<string, string>> = { f1: 'P', f2: 'Q', f3: 'R', f4: 'S' };

/** Number before the tilde. */
const NUMBER: Readonly<Record<string, number>> = {
  insert: 2,
  delete: 3,
  pgup: 5,
  pgdn: 6,
  f5: 15,
  f6: 17,
  f7: 18,
  f8: 19,
  f9: 20,
  f10: 21,
  f11: 23,
  f12: 24,
};

const MODIFIER: Readonly<Record<string, number>> = { shift: 1, alt: 2, ctrl: 4 };

/**
 * @param name a character, or a key's name, behind its modifiers: 'a', 'enter', 'ctrl-k', 'alt-enter', 'ctrl-shift-up'
 * @param application whether the program asked for application cursor keys (?1)
 * @throws Error where a terminal has nothing to send for it
 */
export function keyBytes(name: string, application = false): string {
  const plain = PLAIN[name];
  if (plain !== undefined) return plain;
  const [, prefix = '', key = ''] = /^((?:(?:shift|alt|ctrl)-)*)(.+)$/su.exec(name) ?? [];
  const modifiers = prefix
    .split('-')
    .slice(0, -1)
    .reduce((sum, modifier) => sum | (MODIFIER[modifier] ?? 0), 0);
  const special = specialKey(key, modifiers, application);
  if (special !== undefined) return special;

  if (prefix.includes('alt-')) return `\x1b${keyBytes(prefix.replace('alt-', '') + key, application)}`;
  if (prefix === 'ctrl-' && /^[a-z[\\\]^_]$/.test(key))
    return String.fromCharCode(key.toUpperCase().charCodeAt(0) & 31);
  if (prefix === '' && [...key].length === 1) return key;
  throw new Error(`no terminal sends anything for the key "${name}"`);
}

function specialKey(key: string, modifiers: number, application: boolean): string | undefined {
  const letter = LETTER[key] ?? FUNCTION[key];
  if (letter !== undefined) {
    if (modifiers > 0) return `\x1b[1;${modifiers + 1}${letter}`;
    return `\x1b${application || key in FUNCTION ? 'O' : '['}${letter}`;
  }
  const number = NUMBER[key];
  if (number === undefined) return undefined;
  return `\x1b[${number}${modifiers > 0 ? `;${modifiers + 1}` : ''}~`;
}
