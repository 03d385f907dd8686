/** Where things stand on the screen, from 40 columns and 10 rows on. */
export interface Layout {
  /** of the list at the left; 0: it has no place */
  readonly listWidth: number;
  readonly left: number;
  readonly width: number;
  /** of what was said, below title and banner */
  readonly top: number;
  readonly height: number;
  readonly status: number;
  readonly input: number;
  readonly inputHeight: number;
}

/** Narrower screens have no list: Ctrl-K and the status line do. */
const LIST_FROM = 64;
const LIST_MIN = 16;
const LIST_MAX = 26;
/** Lines of what is typed that are shown at most. */
export const INPUT_MAX = 6;

/** The list, and what is right of it. @param columns of the screen */
export function paneOf(columns: number): Pick<Layout, 'listWidth' | 'left' | 'width'> {
  const listWidth = columns < LIST_FROM ? 0 : Math.max(LIST_MIN, Math.min(LIST_MAX, Math.floor(columns / 4)));
  const left = listWidth === 0 ? 0 : listWidth + 1;
  return { listWidth, left, width: columns - left };
}

/** @param banner lines @param wanted lines of what is typed */
export function layoutOf(columns: number, rows: number, banner: number, wanted: number): Layout {
  const inputHeight = Math.max(1, Math.min(wanted, INPUT_MAX, Math.floor(rows / 4)));
  const input = rows - inputHeight;
  const status = input - 1;
  const top = 1 + banner;
  return { ...paneOf(columns), top, height: Math.max(0, status - top), status, input, inputHeight };
}
