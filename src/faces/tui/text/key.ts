/** What somebody did at the keyboard, whatever bytes their terminal has for it. */

export interface KeyPress {
  readonly type: 'key';
  /**
   * `enter tab backspace delete insert escape space home end pageup pagedown up down left right f1` to `f12`; or the
   * character itself, letters in lower case.
   */
  readonly name: string;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
}

export type Key =
  | KeyPress
  | { readonly type: 'text'; readonly text: string }
  /** Line ends are `\n`, tabs are kept, other control characters are gone. */
  | { readonly type: 'paste'; readonly text: string }
  /** Of the terminal's window. */
  | { readonly type: 'focus'; readonly focused: boolean }
  /** A mouse report, an answer of the terminal, a key that nobody knows. */
  | { readonly type: 'unknown' };

export const UNKNOWN: Key = { type: 'unknown' };

export interface Modifiers {
  readonly ctrl?: boolean;
  readonly alt?: boolean;
  readonly shift?: boolean;
}

export function press(name: string, { ctrl = false, alt = false, shift = false }: Modifiers = {}): KeyPress {
  return { type: 'key', name, ctrl, alt, shift };
}

/** A character with Alt or Ctrl held. */
export function pressCharacter(character: string, modifiers: Modifiers): KeyPress {
  if (character === ' ') return press('space', modifiers);
  const name = character.toLowerCase();
  return press(name, { ...modifiers, shift: modifiers.shift === true || name !== character });
}

/** A control character as the key that makes it. @param code 0 to 31, or 127; not ESC */
export function pressControl(code: number, alt: boolean): KeyPress {
  if (code === 0x0d) return press('enter', { alt });
  if (code === 0x09) return press('tab', { alt });
  if (code === 0x08 || code === 0x7f) return press('backspace', { alt });
  if (code === 0) return press('space', { ctrl: true, alt });
  return press(String.fromCharCode(code + 0x40).toLowerCase(), { ctrl: true, alt });
}

/** A key as bindings name it: `C-a`, `A-enter`, `C-S-up`. */
export function chord({ name, ctrl, alt, shift }: KeyPress): string {
  return `${ctrl ? 'C-' : ''}${alt ? 'A-' : ''}${shift ? 'S-' : ''}${name}`;
}

/** Esc and a character that came so close that they look like Alt: what they are where Alt with it means nothing. */
export function escapeAnd(key: Key): readonly Key[] | undefined {
  if (key.type !== 'key' || !key.alt || key.ctrl || [...key.name].length !== 1) return undefined;
  return [press('escape'), { type: 'text', text: key.shift ? key.name.toUpperCase() : key.name }];
}
