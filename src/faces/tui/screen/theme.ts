/** Colours by what they mean. Nothing is told by colour alone: each has a word or a mark beside it. */
import { Flag, plainStyle, style, type Style } from '../terminal/grid.js';

export interface Theme {
  readonly plain: Style;
  readonly dim: Style;
  readonly strong: Style;
  readonly title: Style;
  readonly status: Style;
  readonly selected: Style;
  readonly unread: Style;
  readonly notice: Style;
  readonly warning: Style;
  readonly good: Style;
  readonly own: Style;
  readonly found: Style;
  readonly border: Style;
  readonly field: Style;
  readonly people: readonly Style[];
  /** of a QR code: dark on light; undefined where there are no colours */
  readonly code: Style | undefined;
}

const { bold, underline, inverse } = Flag;

/** Without colours: what the terminal has by itself. */
const mono: Theme = {
  plain: plainStyle,
  dim: plainStyle,
  strong: style(bold),
  title: style(bold | inverse),
  status: style(inverse),
  selected: style(inverse),
  unread: style(bold),
  notice: plainStyle,
  warning: style(bold | inverse),
  good: style(bold),
  own: style(bold),
  found: style(inverse),
  border: plainStyle,
  field: style(underline),
  people: [style(bold)],
  code: undefined,
};

/** Of the palette of 256, whose upper part no theme of a terminal changes. */
const dark: Theme = {
  ...mono,
  dim: style(0, 245),
  title: style(bold, 255, 24),
  status: style(0, 252, 236),
  selected: style(bold, 255, 24),
  unread: style(bold, 222),
  notice: style(0, 109),
  warning: style(bold, 255, 124),
  good: style(0, 114),
  own: style(bold, 152),
  found: style(0, 16, 220),
  border: style(0, 60),
  field: style(underline, 255),
  code: style(0, 16, 231),
  people: [81, 114, 215, 176, 186, 110, 209, 150, 183, 79].map((colour) => style(bold, colour)),
};

const light: Theme = {
  ...mono,
  dim: style(0, 242),
  title: style(bold, 255, 25),
  status: style(0, 235, 253),
  selected: style(bold, 255, 25),
  unread: style(bold, 130),
  notice: style(0, 24),
  warning: style(bold, 255, 160),
  good: style(0, 22),
  own: style(bold, 23),
  found: style(0, 16, 220),
  border: style(0, 103),
  field: style(underline, 16),
  code: style(0, 16, 231),
  people: [25, 28, 130, 90, 94, 24, 124, 58, 54, 88].map((colour) => style(bold, colour)),
};

export function themeOf(colour: boolean, ground: 'dark' | 'light'): Theme {
  if (!colour) return mono;
  return ground === 'light' ? light : dark;
}

/** The same person has the same colour, in every conversation. */
export function personStyle(theme: Theme, name: string): Style {
  let sum = 7;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return theme.people[sum % theme.people.length] ?? theme.strong;
}
