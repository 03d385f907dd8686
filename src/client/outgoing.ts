/** How far the parts of an outgoing message are. Its sealed bytes are those of all parts, one behind the other. */
import { fromHex, hex, ID, PARTS_MAX, partFrameId } from '../../protocol/index.js';
import type { Event } from './reducer.js';
import { partsOf } from './sealing.js';
import type { Outgoing, OutgoingState, State } from './state.js';

/** What stands for a part in `Outgoing.parts`. */
const letters = { waiting: '.', queued: 'q', delivered: 'd' } as const;

function partCount({ parts, text }: Outgoing): number {
  return parts?.length ?? partsOf(text);
}

function lettersOf(entry: Outgoing): string {
  const { parts, state } = entry;
  return parts ?? (state === 'queued' ? letters.queued : letters.waiting.repeat(partCount(entry)));
}

/** Sealed parts that the daemon does not have yet, in order. */
export function waitingParts(entry: Outgoing): number[] {
  if (entry.envelope === undefined) return [];
  return [...lettersOf(entry)].flatMap((letter, part) => (letter === letters.waiting ? [part] : []));
}

/** A part's sealed bytes: the same whenever it is sent. @param length of a part, in bytes */
export function sealedPart({ envelope }: Outgoing, part: number, length: number): Uint8Array {
  return fromHex((envelope ?? '').slice(2 * part * length, 2 * (part + 1) * length));
}

/** What the daemon's word about one part means for the message: it is as far as the part that is least far. */
export function answered(
  entry: Outgoing,
  part: number,
  reached: 'queued' | 'delivered',
  at: number,
): Event | undefined {
  const before = lettersOf(entry);
  const old = before[part];
  if (entry.state !== 'waiting' && entry.state !== 'queued') return undefined;
  if (old === undefined) return undefined;
  /* Never back: the note of a delivery may come before the answer "queued". */
  if (old === letters.delivered || old === letters[reached]) return undefined;
  const parts = before.slice(0, part) + letters[reached] + before.slice(part + 1);
  const state = stateOfAll(parts);
  if (state === entry.state) return { t: 'portion', id: entry.id, parts };
  return { t: 'sent', id: entry.id, state, at, ...(parts.length > 1 && state !== 'delivered' ? { parts } : {}) };
}

function stateOfAll(parts: string): OutgoingState {
  if (parts.includes(letters.waiting)) return 'waiting';
  return parts.includes(letters.queued) ? 'queued' : 'delivered';
}

/** Whose part has this frame id: the message's id differs from it in the last two bytes at most. */
export function partOf(state: State, frameId: Uint8Array): { entry: Outgoing; part: number } | undefined {
  if (frameId.length !== ID) return undefined;
  for (let part = 0; part < PARTS_MAX; part++) {
    const entry = state.outgoing.get(hex(partFrameId(frameId, part))); // XOR undoes itself
    if (entry && part < partCount(entry)) return { entry, part };
  }
  return undefined;
}
