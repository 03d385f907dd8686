/** What terminals send behind `ESC [` and `ESC O`: xterm and those after it, rxvt, the Linux console, kitty. */
import { press, pressCharacter, pressControl, UNKNOWN, type Key, type Modifiers } from './key.js';

const byFinal: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
};
const byNumber: Readonly<Record<string, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
};
const byCode: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  13: 'enter',
  27: 'escape',
  127: 'backspace',
};
const rxvtArrows: Readonly<Record<string, string>> = { a: 'up', b: 'down', c: 'right', d: 'left' };
const rxvtModifiers: Readonly<Record<string, Modifiers>> = {
  '~': {},
  '^': { ctrl: true },
  '@': { ctrl: true, shift: true },
};
const RELEASED = '3';

/** @param number 1 and a bit for each, as xterm has it; what is not a number counts as none */
function modifiersOf(number: string | undefined, alt: boolean): Modifiers {
  const bits = Math.max(Number.parseInt(number ?? '1', 10) || 1, 1) - 1;
  /* Meta and Super pass for Alt: which of them a key has is the terminal's whim. */
  return { shift: (bits & 1) !== 0, alt: alt || (bits & (2 | 8 | 32)) !== 0, ctrl: (bits & 4) !== 0 };
}

/**
 * `ESC [ parameters final`.
 * @param parameters with what stands between them and the final byte
 * @param alt an ESC stood before it
 */
export function csiKey(parameters: string, final: string, alt: boolean): Key {
  if (parameters === '') {
    if (final === 'I' || final === 'O') return { type: 'focus', focused: final === 'I' };
    if (final === 'Z') return press('tab', { shift: true, alt });
    const arrow = rxvtArrows[final];
    if (arrow !== undefined) return press(arrow, { shift: true, alt });
    return named(byFinal[final], { alt });
  }
  if (!/^[\d;:]+$/.test(parameters)) return UNKNOWN;
  const [first = '', second, third] = parameters.split(';');
  const [modifiers, event] = second?.split(':') ?? [];
  if (event === RELEASED) return UNKNOWN;
  const held = modifiersOf(modifiers, alt);
  if (final === 'u') return codeKey(first.split(':')[0], held);
  if (final === '~' && first === '27' && third !== undefined) return codeKey(third, held);
  const rxvt = rxvtModifiers[final];
  if (rxvt !== undefined) return named(byNumber[first], { ...held, ...rxvt });
  if (first !== '1' || third !== undefined || (final === 'R' && !isModified(second))) return UNKNOWN;
  return named(byFinal[final], held);
}

/** `ESC O parameters final`. */
export function ss3Key(parameters: string, final: string, alt: boolean): Key {
  const held = modifiersOf(parameters.split(';').at(-1) ?? '', alt);
  if (final === 'M') return press('enter', held);
  if (final === 'I') return press('tab', held);
  const arrow = rxvtArrows[final];
  if (arrow !== undefined) return press(arrow, { ...held, ctrl: true });
  /* The keypad, where it sends more than its digits: each is 64 above its character. */
  if (final >= 'j' && final <= 'y') return { type: 'text', text: String.fromCharCode(final.charCodeAt(0) - 0x40) };
  return named(byFinal[final], held);
}

/** `ESC [ [ final`: F1 to F5 of the Linux console. */
export function consoleKey(final: string, alt: boolean): Key {
  return named({ A: 'f1', B: 'f2', C: 'f3', D: 'f4', E: 'f5' }[final], { alt });
}

/** Else an R is the terminal's answer where its cursor is. */
function isModified(number: string | undefined): boolean {
  return /^([2-9]|1[0-6])$/.test(number ?? '');
}

function named(name: string | undefined, modifiers: Modifiers): Key {
  return name === undefined ? UNKNOWN : press(name, modifiers);
}

/** A key by the number of its character, as kitty and xterm's modifyOtherKeys have it. */
function codeKey(number: string | undefined, modifiers: Modifiers): Key {
  const code = /^\d+$/.test(number ?? '') ? Number(number) : 0;
  if (code === 0) return UNKNOWN;
  const name = byCode[code];
  if (name !== undefined) return press(name, modifiers);
  if (code < 0x20) return pressControl(code, modifiers.alt === true);
  /* Surrogates, C1, and kitty's private numbers for keys without a character. */
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xf8ff) || (code >= 0x80 && code < 0xa0)) return UNKNOWN;
  const character = String.fromCodePoint(code);
  if (modifiers.ctrl === true || modifiers.alt === true) return pressCharacter(character, modifiers);
  return { type: 'text', text: modifiers.shift === true ? character.toUpperCase() : character };
}
