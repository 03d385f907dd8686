/** One place of a terminal's grid. */
import type { IBufferCell } from '@xterm/headless';

/** A number of the palette of 256, or '#rrggbb'; undefined is the terminal's own. */
export type Colour = number | `#${string}` | undefined;

export interface Cell {
  /** A space where nothing was ever written */
  readonly chars: string;
  /** Cells that it takes: 2 for a wide character, and 0 for what is behind one */
  readonly width: number;
  readonly fg: Colour;
  readonly bg: Colour;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
  readonly invisible: boolean;
  readonly strikethrough: boolean;
}

export function cellOf(cell: IBufferCell): Cell {
  const width = cell.getWidth();
  return {
    chars: cell.getChars() || (width === 0 ? '' : ' '),
    width,
    fg: colour(cell.getFgColor(), cell.isFgDefault(), cell.isFgRGB()),
    bg: colour(cell.getBgColor(), cell.isBgDefault(), cell.isBgRGB()),
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
    italic: cell.isItalic() !== 0,
    underline: cell.isUnderline() !== 0,
    inverse: cell.isInverse() !== 0,
    invisible: cell.isInvisible() !== 0,
    strikethrough: cell.isStrikethrough() !== 0,
  };
}

function colour(value: number, isDefault: boolean, isRgb: boolean): Colour {
  if (isDefault) return undefined;
  return isRgb ? `#${value.toString(16).padStart(6, '0')}` : value;
}
