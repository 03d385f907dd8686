/**
 * How many cells a character takes, as in most terminals of today: each by itself, emoji two. The emulator's own table
 * is of 2010 and has emoji in one.
 */
import type { IUnicodeVersionProvider } from '@xterm/headless';
import { eastAsianWidth } from 'get-east-asian-width';

const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;

function wcwidth(code: number): 0 | 1 | 2 {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (code < 0x300) return 1;
  if (ZERO.test(String.fromCodePoint(code))) return 0;
  return eastAsianWidth(code);
}

export const widths: IUnicodeVersionProvider = {
  version: 'today',
  wcwidth,
  /** A number of the emulator's: the width from its second bit on, and in its first whether it joins the one before. */
  charProperties(code, before) {
    const width = wcwidth(code);
    const widthBefore = (before >> 1) & 3;
    const joins = width === 0 && before !== 0 && widthBefore > 0;
    return joins ? (widthBefore << 1) | 1 : width << 1;
  },
};
