/** The few packets of MQTT 3.1.1 that a load of QoS 1 needs: made, and found in a stream. */

const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBACK = 9;
export const Packet = { connack: CONNACK, publish: PUBLISH, puback: PUBACK, suback: SUBACK } as const;

/** Protocol level 4 is 3.1.1; the only flag: a clean session. */
const LEVEL = 4;
const CLEAN = 2;
const QOS_1 = 1;

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u16(bytes.length), bytes]);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** @param type its four bits and its flags */
function packet(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let rest = body.length; length.length === 0 || rest > 0; rest >>= 7)
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

/** Without a keep-alive: the load ends by itself. */
export function connect(client: string): Buffer {
  return packet(0x10, text('MQTT'), Buffer.from([LEVEL, CLEAN]), u16(0), text(client));
}
export function subscribe(topic: string): Buffer {
  return packet(0x82, u16(1), text(topic), Buffer.from([QOS_1]));
}
export function publish(topic: string, id: number, payload: Buffer): Buffer {
  return packet(0x32, text(topic), u16(id), payload);
}
export function puback(id: number): Buffer {
  return packet(0x40, u16(id));
}

/** The id of a PUBLISH with QoS 1, which stands behind its topic. */
export function publishId(body: Buffer): number {
  return body.readUInt16BE(2 + body.readUInt16BE(0));
}

/** Cuts a stream into packets. */
export class Packets {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer, each: (type: number, body: Buffer) => void): void {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (let next = cut(bytes); next; next = cut(bytes)) {
      each((bytes[0] ?? 0) >> 4, bytes.subarray(next.from, next.to));
      bytes = bytes.subarray(next.to);
    }
    this.#rest = bytes;
  }
}

/** Where the first packet's body is; undefined where it is not whole yet. */
function cut(bytes: Buffer): { readonly from: number; readonly to: number } | undefined {
  let length = 0;
  for (let at = 1; at < Math.min(5, bytes.length); at++) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) << (7 * (at - 1));
    if (byte >= 0x80) continue;
    const to = at + 1 + length;
    return to <= bytes.length ? { from: at + 1, to } : undefined;
  }
  return undefined;
}
