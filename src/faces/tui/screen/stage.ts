/** What a conversation needs of the screen that it is shown on. */
import type { Surface } from '../commands/surface.js';
import type { Theme } from './theme.js';

export interface Stage {
  readonly theme: Theme;
  /** its window is in front, as far as the terminal tells, and no question stands before what is shown */
  readonly isLookedAt: boolean;
  ask: Surface['ask'];
  copy(text: string): void;
  useTheme(ground: 'dark' | 'light'): void;
  /** A frame is due, soon or at once. */
  soon(): void;
  now(): void;
  redraw(): void;
  suspend(): void;
  /** So much waits to be read: the window's title says it. */
  waits(unread: number): void;
  /** Somebody who looks elsewhere is told that there is something, not what. */
  ring(): void;
  quit(): void;
}
