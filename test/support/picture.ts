/**
 * A picture of a terminal's screen as SVG, of itself alone: no script, no style sheet, no font. Each word says at which
 * column it begins, so that columns stand under each other in whatever font there is.
 */
import type { Cell, Colour } from './cell.js';

/** What a picture is taken of; a `Screen` is one. */
export interface Pictured {
  readonly columns: number;
  readonly rows: number;
  cell(x: number, y: number): Cell;
  cursor(): { readonly x: number; readonly y: number; readonly hidden: boolean };
}

const WIDTH = 9;
const HEIGHT = 17;
/** A letter of the usual fonts is 0.6 of this wide. */
const FONT_SIZE = 15;
const BASELINE = 14;
const MARGIN = 12;
const BAR = 34;
const FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace";

const INK = '#d7dae0';
const PAPER = '#16191f';
const FRAME = '#2b303b';
const CURSOR = '#e6e9ef';
const BUTTONS = ['#ff5f57', '#febc2e', '#28c840'];
const BASIC = (
  '#2e3440 #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #c8ccd4 ' +
  '#6b7280 #ff7b86 #b5e890 #ffd68a #82c4ff #dd9bf0 #7fd5e0 #ffffff'
).split(' ');

/** The same screen gives the same bytes. */
export function picture(screen: Pictured, { title }: { readonly title: string }): string {
  const [inside, below] = [screen.columns * WIDTH, screen.rows * HEIGHT];
  const [width, height] = [inside + 2 * MARGIN, below + BAR + MARGIN];
  const caption = escaped(title);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${caption}</title>`,
    `<rect width="${width}" height="${height}" rx="9" fill="${PAPER}"/>`,
    `<path d="M0 ${BAR - 6}V9a9 9 0 0 1 9-9h${width - 18}a9 9 0 0 1 9 9v${BAR - 15}z" fill="${FRAME}"/>`,
    ...BUTTONS.map((fill, i) => `<circle cx="${18 + 20 * i}" cy="14" r="6" fill="${fill}"/>`),
    `<g font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${INK}" direction="ltr" unicode-bidi="bidi-override">`,
    `<text x="${width / 2}" y="19" font-size="13" text-anchor="middle">${caption}</text>`,
    `<g transform="translate(${MARGIN} ${BAR})">`,
    ...Array.from({ length: screen.rows }, (_, y) => row(screen, y)).flat(),
    '</g>',
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

interface Strip {
  readonly x: number;
  end: number;
  readonly style: string;
  text: string;
}

/** Papers first, then what is written on them, all words of one style together. */
function row(screen: Pictured, y: number): string[] {
  const [papers, words, rules, strikes]: [Strip[], Strip[], Strip[], Strip[]] = [[], [], [], []];
  const cursor = cursorOf(screen);
  for (let x = 0, end: number; x < screen.columns; x = end) {
    const cell = screen.cell(x, y);
    end = x + Math.max(1, cell.width);
    const [ink, paper] = look(cell, cursor?.y === y && cursor.x === x);
    if (paper !== PAPER) add(papers, { x, end, style: paper, text: '' });
    if (cell.underline) add(rules, { x, end, style: ink, text: '' });
    if (cell.strikethrough) add(strikes, { x, end, style: ink, text: '' });
    if (!cell.invisible && cell.chars.trim() !== '')
      add(words, { x, end, style: styleOf(cell, ink), text: cell.chars });
  }
  const [top, baseline] = [y * HEIGHT, y * HEIGHT + BASELINE];
  const styles = [...new Set(words.map(({ style }) => style))];
  return [
    ...papers.map((strip) => rect(strip, top, HEIGHT)),
    ...styles.map(
      (style) =>
        `<text y="${baseline}"${style}>${words
          .filter((one) => one.style === style)
          .map(span)
          .join('')}</text>`,
    ),
    ...rules.map((strip) => rect(strip, baseline + 2, 1)),
    ...strikes.map((strip) => rect(strip, baseline - 5, 1)),
  ];
}

/** Joins it to the strip before it where that makes no difference to any font: letters of ASCII, or lines of boxes. */
function add(strips: Strip[], next: Strip): void {
  const last = strips.at(-1);
  const joins = last?.end === next.x && last.style === next.style;
  if (!joins || !/^(?:[!-~]*|[\u2500-\u259f]*)$/.test(last.text + next.text)) return void strips.push(next);
  last.end = next.end;
  last.text += next.text;
}

function span({ x, end, text }: Strip): string {
  const length = (end - x) * WIDTH;
  return `<tspan x="${x * WIDTH}" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escaped(text)}</tspan>`;
}

function rect({ x, end, style }: Strip, y: number, height: number): string {
  return `<rect x="${x * WIDTH}" y="${y}" width="${(end - x) * WIDTH}" height="${height}" fill="${style}"/>`;
}

/** Behind a full row the cursor is shown on its last cell, as terminals do. */
function cursorOf(screen: Pictured): { readonly x: number; readonly y: number } | undefined {
  const { x, y, hidden } = screen.cursor();
  if (hidden) return undefined;
  const on = Math.min(x, screen.columns - 1);
  return { x: screen.cell(on, y).width === 0 ? on - 1 : on, y };
}

function look(cell: Cell, cursor: boolean): [ink: string, paper: string] {
  if (cursor) return [PAPER, CURSOR];
  const [ink, paper] = [hex(cell.fg) ?? INK, hex(cell.bg) ?? PAPER];
  return cell.inverse ? [paper, ink] : [ink, paper];
}

function styleOf(cell: Cell, ink: string): string {
  return [
    ink === INK ? '' : ` fill="${ink}"`,
    cell.bold ? ' font-weight="bold"' : '',
    cell.italic ? ' font-style="italic"' : '',
    cell.dim ? ' fill-opacity="0.6"' : '',
  ].join('');
}

/** The palette of 256: 16 of the theme, a cube of 6, and 24 greys. */
function hex(colour: Colour): string | undefined {
  if (typeof colour !== 'number') return colour;
  if (colour < 16) return BASIC[colour];
  const cube = [36, 6, 1].map((unit) => Math.floor((colour - 16) / unit) % 6);
  const grey = 8 + 10 * (colour - 232);
  const parts = colour < 232 ? cube.map((level) => (level === 0 ? 0 : 55 + 40 * level)) : [grey, grey, grey];
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** Also of what XML can't hold, and of what would turn the order of letters around. */
function escaped(text: string): string {
  return text
    .replace(/\p{Cc}|\p{Cs}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
