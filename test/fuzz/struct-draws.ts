/** Structs for the fuzzers: sound ones, and such as somebody makes who knows the layouts and means ill. */
import { codes, encode, statuses, type Code, type Status, type Struct, type Values } from '../../protocol/index.js';
import type { Draws } from '../support/draws.js';
import { lines, wordLength, type Line, type Word } from './spec-codec.js';

export function lineOf(struct: Struct): Line {
  const line = lines.get(struct.name);
  if (!line) throw new Error(`the table has no ${struct.name}`);
  return line;
}

/** Quick, since most of a struct is of no interest: four bytes of a draw, turned on. */
export function noise(draws: Draws, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let state = draws.below(2 ** 32) | 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = state;
  }
  return out;
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789_';

export function drawName(draws: Draws): string {
  const length = draws.pick([3, 4, 8, 31, 32, 3 + draws.below(30)]);
  return (
    'anz'.charAt(draws.below(3)) + Array.from({ length: length - 1 }, () => letters.charAt(draws.below(37))).join('')
  );
}

/** Often at the ends of its range, where mistakes live. */
function drawUint(draws: Draws, max: number): number {
  return draws.pick([0, 1, max, max - 1, draws.below(max), draws.below(256)].filter((value) => value <= max));
}

function drawValue(draws: Draws, of: Word): unknown {
  switch (of.kind) {
    case 'uint':
      return drawUint(draws, Number(of.max));
    case 'bytes':
      return noise(draws, of.length);
    case 'name':
      return drawName(draws);
    case 'data':
      return noise(draws, drawUint(draws, of.max));
    case 'list':
      return Array.from({ length: drawUint(draws, of.max) }, () => drawValues(draws, of.of));
  }
}

export function drawValues(draws: Draws, words: readonly Word[]): Record<string, unknown> {
  return Object.fromEntries(words.map((each) => [each.name, drawValue(draws, each)]));
}

/** A sound struct. `answer` serves any opcode: here some. */
export function drawStruct(draws: Draws, struct: Struct): Uint8Array {
  const fromDaemon = struct.from === 'daemon';
  const any = struct.opcode === 0;
  const header = {
    opcode: any ? draws.below(2 ** 32) : struct.opcode,
    step: any ? draws.below(256) : struct.step,
    frameId: noise(draws, 16),
    time: drawUint(draws, Number.MAX_SAFE_INTEGER),
    status: (fromDaemon ? draws.pick([...statuses]) : 0) as Status,
    code: (fromDaemon ? draws.pick([...codes]) : 0) as Code,
  };
  return encode(struct, header, drawValues(draws, lineOf(struct).fields) as Values<Struct>);
}

/** Where something begins or ends in a struct: of its header, its fields, rows, lengths, text and padding. */
export function boundaries(line: Line, bytes: Uint8Array): number[] {
  const header = line.from === 'daemon' ? [0, 1, 2, 6, 22, 30, 31, 33] : [0, 1, 2, 6, 22, 30];
  const at = [...header];
  const walk = (words: readonly Word[], from: number): number => {
    let next = from;
    for (const each of words) {
      at.push(next);
      if (each.kind === 'name') at.push(next + Math.max(0, bytes.subarray(next, next + 32).indexOf(0)));
      if (each.kind === 'data') at.push(next + 2, next + 2 + ((bytes[next] ?? 0) << 8) + (bytes[next + 1] ?? 0));
      if (each.kind === 'list') {
        const row = (wordLength(each) - 1) / each.max;
        const count = bytes[next] ?? 0;
        at.push(next + 1, next + 1 + count * row);
        if (count > 0) walk(each.of, next + 1 + (count - 1) * row);
      }
      next += wordLength(each);
    }
    return next;
  };
  at.push(walk(line.fields, header[header.length - 1] ?? 0), line.size - 1);
  return at.filter((one) => one < bytes.length);
}

/** What stands in names and texts of those who mean ill: not UTF-8, overlong, not ASCII, not lower case. */
const texts = [
  [0xc1, 0xa1, 0x61, 0x62],
  [0xd0, 0xb0, 0x62, 0x63],
  [0xff, 0xfe, 0x61],
  [0xef, 0xbb, 0xbf, 0x61, 0x62, 0x63],
  [0xed, 0xa0, 0x80],
  [0x41, 0x62, 0x63],
  [0x2e, 0x2e, 0x2f, 0x61],
  [0x61, 0x62, 0x00, 0x63],
  [0x00, 0x61, 0x62, 0x63],
  [0x61, 0x62, 0x0a],
];

/** Changes one thing, most often at a boundary. May change nothing. */
export function damage(draws: Draws, line: Line, sound: Uint8Array): Uint8Array {
  const bytes = sound.slice();
  if (bytes.length === 0) return bytes;
  const near = draws.chance(0.8)
    ? draws.pick(boundaries(line, bytes)) + draws.pick([0, 0, 0, -1, 1, 2, 7])
    : draws.below(bytes.length);
  const at = Math.min(Math.max(near, 0), bytes.length - 1);
  switch (draws.below(9)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << draws.below(8));
      return bytes;
    case 1:
      bytes[at] = draws.pick([0, 1, 0x7f, 0x80, 0xff, draws.below(256)]);
      return bytes;
    case 2: // a number one larger or smaller, with its carry
      return counted(bytes, at, draws.pick([1, 2, 4, 8]), draws.pick([1, -1]));
    case 3:
      bytes.fill(draws.pick([0, 0xff]), at, at + draws.pick([2, 4, 8, 32]));
      return bytes;
    case 4:
      bytes.set(draws.pick(texts).slice(0, bytes.length - at), at);
      return bytes;
    case 5: {
      const from = draws.below(bytes.length);
      bytes.copyWithin(at, from, from + draws.pick([1, 16, 32, 256]));
      return bytes;
    }
    case 6: // shorter, longer, empty
      return draws.pick([bytes.subarray(0, at), bytes.subarray(1), longer(bytes), bytes.subarray(0, 0)]);
    case 7: {
      const length = draws.pick([1, 2, 16, 64]);
      bytes.set(noise(draws, Math.min(length, bytes.length - at)), at);
      return bytes;
    }
    default: // a byte in what should be zeros
      bytes[bytes.length - 1 - draws.below(Math.max(1, bytes.length - at))] = 1 + draws.below(255);
      return bytes;
  }
}

function counted(bytes: Uint8Array, at: number, size: number, by: number): Uint8Array {
  let carry = by;
  for (let i = Math.min(at + size, bytes.length) - 1; i >= at && carry !== 0; i--) {
    const value = (bytes[i] ?? 0) + carry;
    bytes[i] = value;
    carry = value < 0 ? -1 : value > 255 ? 1 : 0;
  }
  return bytes;
}

function longer(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 1);
  out.set(bytes);
  return out;
}
