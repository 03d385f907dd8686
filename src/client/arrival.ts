/** A part that was opened and is sound: told from duplicates, joined, its place in the order noted (SPEC 7.4). */
import { fromHex, hex, joinText, readReceipt, RECEIPT_PARTS, samePublic } from '../../protocol/index.js';
import { notice, stateOf, type Desk } from './desk.js';
import type { Gaps } from './gaps.js';
import { textsOf } from './receipt-rows.js';
import type { Event } from './reducer.js';
import { MISSING_MAX, type State } from './state.js';
import { sourceOf } from './tables.js';

/** ms since 1970 that a calendar can show: the sender's clock may say anything up to 2^53. */
const TIME_MAX = 8_640_000_000_000_000;

export interface Arrival {
  /** a contact's name, or a member's key */
  readonly from: string;
  /** what all parts of the message are known by */
  readonly message: string;
  /** hexadecimal */
  readonly id: string;
  readonly part: number;
  readonly parts: number;
  readonly sequence: number;
  readonly previous: Uint8Array;
  /** of the whole envelope, hexadecimal */
  readonly hash: string;
  /** of the sender's clock, in ms since 1970 */
  readonly time: number;
  /** of this part, or the ids of a receipt, which has no parts */
  readonly text: Uint8Array;
}

/** Whether an envelope is of something known: a duplicate, or in contradiction (`parts`) to what came before of it. */
export function seenBefore(state: State, arrival: Arrival): 'new' | 'duplicate' | 'parts' {
  const { message, part, parts, sequence, text } = arrival;
  const seen = state.seen.has(`${message}:${String(part)}`);
  const unfinished = state.unfinished.get(message);
  if (unfinished) {
    if (unfinished.parts !== parts || unfinished.first !== sequence - part) return 'parts';
    if (!seen) return 'new';
    return unfinished.pieces[part] === hex(text) ? 'duplicate' : 'parts';
  }
  if (seen) return 'duplicate';
  /* A message that is whole has no further parts. */
  return state.seen.has(`${message}:0`) && !state.seen.has(message) ? 'parts' : 'new';
}

/** What a new part does, or a new receipt. */
export function arrived(desk: Desk, gaps: Gaps, arrival: Arrival): Event[] {
  const { from, message, id, part, parts, sequence, hash, text } = arrival;
  const state = stateOf(desk);
  const at = desk.ports.clock.now();
  const time = arrival.time <= TIME_MAX ? arrival.time : at;
  const events: Event[] = [];
  const source = sourceOf(state, from);
  const last = source?.received;
  if (last && sequence === last.sequence + 1 && sequence > 1 && !samePublic(arrival.previous, fromHex(last.hash)))
    events.push(notice(desk, 'gap', from, 'chain'));
  const [oldest] = source?.missing ?? [];
  if (oldest && (source?.missing?.length ?? 0) >= MISSING_MAX) events.push(gaps.of(from, oldest));
  const key = `${message}:${String(part)}`;
  const chain = { sequence, hash };
  if (parts === RECEIPT_PARTS)
    return [...events, ...textsRead(state, arrival, at), { t: 'receipt', key, from, at, chain }];
  /* What comes of a message that was given up still counts for the chain. */
  if (parts === 1 && !state.seen.has(message))
    events.push({ t: 'message', key, id, from, text: joinText([text]) ?? '', time, at, chain });
  else {
    if (!state.unfinished.has(message) && !state.seen.has(message)) events.push(...gaps.room(from));
    events.push({ t: 'part', key, message, id, from, part, parts, bytes: hex(text), time, at, chain });
  }
  return events;
}

function textsRead(state: State, { from, message, text }: Arrival, at: number): Event[] {
  if (state.seen.has(message)) return []; // what comes of a message that was given up says nothing more
  const ids = (readReceipt(text) ?? []).map(hex);
  return textsOf(state, from, ids).map(({ id }) => ({ t: 'sent', id, state: 'read', at }));
}
