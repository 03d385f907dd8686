/** What leaves the disk, and when. */
import type { State } from './state.js';

/** A received text after it was read, our own after it was delivered. */
export const KEPT_MS = 3600_000;

interface Due {
  readonly key: string;
  /** ms since 1970 */
  readonly at: number;
}

function* dues(state: State): Generator<Due> {
  for (const row of state.incoming.values()) if (row.read !== undefined) yield { key: row.key, at: row.read + KEPT_MS };
  for (const row of state.notices.values()) if (row.read !== undefined) yield { key: row.key, at: row.read + KEPT_MS };
  for (const row of state.outgoing.values()) if (row.done !== undefined) yield { key: row.id, at: row.done + KEPT_MS };
}

export function expired(state: State, now: number): string[] {
  return [...dues(state)].filter((due) => due.at <= now).map((due) => due.key);
}

/** ms since 1970 when the next text is due; undefined where nothing is. */
export function nextExpiry(state: State): number | undefined {
  let next: number | undefined;
  for (const due of dues(state)) if (next === undefined || due.at < next) next = due.at;
  return next;
}
