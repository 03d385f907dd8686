/** The load, in a process of its own: what the bench asks for by messages, what it measured back. */
import { once } from 'node:events';
import {
  ACKS_PER_FRAME,
  ANSWER_HEADER,
  COMMAND_HEADER,
  encode,
  ENVELOPE,
  ENVELOPE_HEADER,
  ID,
  Opcode,
  peekFrameId,
  peekOpcode,
  Status,
  Code,
  structs,
  writeFields,
  envelopeFields,
  type LinkedNetwork,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import {
  befriend,
  logIn,
  makeUser,
  RawConnection,
  registerUser,
  stretchLittle,
  type RawUser,
  type Where,
} from '../support/raw.js';

export type Order =
  | { readonly kind: 'pairs'; readonly pairs: number }
  | { readonly kind: 'route'; readonly seconds: number; readonly window: number }
  | { readonly kind: 'logins'; readonly count: number; readonly at_once: number }
  | { readonly kind: 'idle'; readonly count: number }
  | { readonly kind: 'end' };

export interface Setup {
  readonly where: Where;
  readonly linked: LinkedNetwork;
}

interface Pair {
  readonly from: RawConnection;
  readonly to: RawConnection;
  readonly sender: RawUser;
  readonly reader: RawUser;
}

stretchLittle();
const { where, linked } = JSON.parse(process.argv[2] ?? '{}') as Setup;

async function online(user: RawUser): Promise<RawConnection> {
  const raw = await RawConnection.connect(where, linked.pins);
  await raw.handshake(linked);
  const registered = await registerUser(raw, user);
  if (registered.header.code !== Code.done && registered.header.code !== Code.conflict)
    throw new Error(`crea: ${String(registered.header.code)}`);
  const { header } = await logIn(raw, user);
  if (header.code !== Code.done) throw new Error(`login: ${String(header.code)}`);
  await raw.event(structs.drnd);
  return raw;
}

async function makePairs(count: number): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) {
    const [sender, reader] = [await makeUser(`sender${String(i)}`), await makeUser(`reader${String(i)}`)];
    const [from, to] = [await online(sender), await online(reader)];
    await befriend(from, sender, to, reader);
    pairs.push({ from, to, sender, reader });
  }
  return pairs;
}

function envelope(from: RawUser, to: RawUser): Uint8Array {
  const bytes = nodeSync.random(ENVELOPE);
  const [zero, none] = [new Uint8Array(ID), new Uint8Array(32)];
  const ids = { conversation: zero, message: zero, sender: from.uid, recipient: to.uid };
  const keys = { senderKeys: none, recipientKeys: none, previous: none };
  const numbers = { version: 1, suite: 1, sequence: 1, time: Date.now(), part: 0, parts: 1 };
  writeFields(envelopeFields, { ...ids, ...keys, ...numbers }, bytes.subarray(0, ENVELOPE_HEADER), 0);
  return bytes;
}

const AT_FRAME = 6;
const AT_MESSAGE = COMMAND_HEADER + 2 + ID;

interface Routed {
  readonly messages: number;
  readonly ms: number;
  /** ms, of every 16th message */
  readonly p50: number;
  readonly p99: number;
}

/** Keeps `window` messages of each pair under way for a while; every message is answered and acknowledged. */
async function route(pairs: readonly Pair[], seconds: number, window: number): Promise<Routed> {
  const end = Date.now() + 1000 * seconds;
  const latencies: number[] = [];
  let answered = 0;
  const started = performance.now();
  await Promise.all(pairs.map((pair) => runPair(pair, window, end, latencies, () => answered++)));
  latencies.sort((a, b) => a - b);
  const at = (part: number): number => latencies[Math.floor(part * (latencies.length - 1))] ?? 0;
  return { messages: answered, ms: performance.now() - started, p50: at(0.5), p99: at(0.99) };
}

function runPair(pair: Pair, window: number, end: number, latencies: number[], count: () => void): Promise<void> {
  const { from, to } = pair;
  const header = {
    opcode: Opcode.smpu,
    step: 0,
    frameId: new Uint8Array(ID),
    time: 0,
    status: Status.valid,
    code: Code.none,
  };
  const struct = Buffer.from(encode(structs.smpu, header, { envelope: envelope(pair.sender, pair.reader) }));
  const sentAt = new Map<number, number>();
  let next = 0;
  let open = 0;
  const post = (many: number): void => {
    for (let i = 0; i < many; i++) {
      struct.writeUInt32BE(next, AT_FRAME);
      struct.writeUInt32BE(next, AT_MESSAGE);
      if (next % 16 === 0) sentAt.set(next, performance.now());
      next++;
      from.session.send.add(struct);
    }
    open += many;
    if (many > 0) from.connection.write(from.session.send.take());
  };
  readAll(to);
  return new Promise((resolve, reject) => {
    let due = 0;
    const answer = (frame: Buffer): void => {
      count();
      open--;
      due++;
      const number = frame.readUInt32BE(0);
      const at = sentAt.get(number);
      if (at !== undefined) {
        latencies.push(performance.now() - at);
        sentAt.delete(number);
      }
    };
    from.fast = (bytes) => {
      const row = 4 + 1 + ID + 1 + 2;
      if (peekOpcode(bytes) === Opcode.ansr) {
        const rows = Buffer.from(bytes.buffer, bytes.byteOffset + ANSWER_HEADER + 1, (bytes[ANSWER_HEADER] ?? 0) * row);
        for (let at = 0; at < rows.length; at += row) {
          if (rows[at + 5 + ID] !== Status.valid)
            reject(new Error(`refused: ${String(rows.readUInt16BE(at + 6 + ID))}`));
          answer(rows.subarray(at + 5));
        }
      } else if (peekOpcode(bytes) === Opcode.smpu) answer(Buffer.from(peekFrameId(bytes)));
      if (Date.now() < end) {
        if (due >= Math.min(window, 8)) post(due);
        else return;
        due = 0;
      } else if (open === 0) {
        from.fast = undefined;
        to.fast = undefined;
        resolve();
      }
    };
    post(window);
  });
}

/** The reading end: acknowledges all that one turn of the loop brought, 64 at most a frame. */
function readAll(to: RawConnection): void {
  const header = {
    opcode: Opcode.ackd,
    step: 0,
    frameId: new Uint8Array(ID),
    time: 0,
    status: Status.valid,
    code: Code.none,
  };
  const ids: Uint8Array[] = [];
  const flush = (): void => {
    while (ids.length > 0) {
      const some = ids.splice(0, ACKS_PER_FRAME);
      to.session.send.add(encode(structs.ackd, header, { ids: some.map((id) => ({ id })) }));
    }
    to.connection.write(to.session.send.take());
  };
  to.fast = (bytes) => {
    if (peekOpcode(bytes) !== Opcode.rvum) return;
    if (ids.length === 0) setImmediate(flush);
    ids.push(peekFrameId(bytes));
  };
}

/** Whole logins, handshake included, of users that exist; some at once. */
async function logins(pairs: readonly Pair[], count: number, atOnce: number): Promise<{ count: number; ms: number }> {
  const users = pairs.flatMap(({ sender, reader }) => [sender, reader]);
  let next = 0;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const user = users[i % users.length];
      if (!user) throw new Error('no users');
      const raw = await RawConnection.connect(where, linked.pins);
      await raw.handshake(linked);
      const { header } = await logIn(raw, user);
      if (header.code !== Code.done) throw new Error(`login: ${String(header.code)}`);
      raw.close();
      await raw.closed;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { count, ms: performance.now() - started };
}

/** Connections after their handshake, which then say nothing. */
async function idle(count: number): Promise<{ count: number }> {
  for (let i = 0; i < count; i += 8) {
    await Promise.all(
      Array.from({ length: Math.min(8, count - i) }, async () => {
        const raw = await RawConnection.connect(where, linked.pins);
        if (!(await raw.handshake(linked))?.session) throw new Error('no session');
      }),
    );
  }
  return { count };
}

let pairs: Pair[] = [];
async function obey(order: Order): Promise<unknown> {
  switch (order.kind) {
    case 'pairs':
      pairs = await makePairs(order.pairs);
      return { pairs: pairs.length };
    case 'route':
      return route(pairs, order.seconds, order.window);
    case 'logins':
      return logins(pairs, order.count, order.at_once);
    case 'idle':
      return idle(order.count);
    case 'end':
      process.disconnect();
      setImmediate(() => process.exit(0)); // the idle connections would keep it
      return {};
  }
}

process.send?.({ ready: true });
for (;;) {
  const [order] = (await once(process, 'message')) as [Order];
  const result = await obey(order).catch((error: unknown) => ({ error: String(error) }));
  if (!process.connected) break;
  process.send?.(result);
}
