/**
 * Fresh keys in the midst of a real daemon's load, and case 5. `MESSAGES=2000000` makes some thousand
 * epochs of it.
 */
import { test } from 'tap';
import {
  ANSWER_HEADER,
  Code,
  decode,
  ENVELOPE,
  EPOCH_ACCEPT_FRAMES,
  EPOCH_MS,
  peekOpcode,
  readEnvelopeHeader,
  structs,
} from '../../protocol/index.js';
import { ACKNOWLEDGE_MS } from '../../src/server/limits.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { letter } from '../support/letters.js';
import { Acknowledger } from '../support/load/device.js';
import { connected, enter, newPerson, startLavish, type Person } from '../support/people.js';
import { befriend, logIn, type RawUser } from '../support/raw.js';
import type { Teardown } from '../support/temp.js';

const MESSAGES = Number(process.env['MESSAGES'] ?? 60_000);
const WINDOW = 48;
/** Messages between two acknowledgements that come too late: the daemon goes to its disk, and comes back. */
const STALL_EVERY = 5000;

async function couple(t: Teardown, daemon: Daemon, names: readonly [string, string]): Promise<[Person, Person]> {
  const a = await newPerson(t, daemon, names[0]);
  const b = await newPerson(t, daemon, names[1]);
  await befriend(a.raw, a.user, b.raw, b.user);
  return [a, b];
}

/** Comes back with a link that turns as often as it may. */
async function eager(t: Teardown, daemon: Daemon, user: RawUser): Promise<Person['raw']> {
  const raw = await connected(t, daemon);
  raw.epochFrames = EPOCH_ACCEPT_FRAMES;
  const { header } = await logIn(raw, user);
  if (header.code !== Code.done) throw new Error(`login: ${String(header.code)}`);
  await raw.event(structs.drnd);
  return raw;
}

/** Sends so many messages with a window; resolves when each was answered with 200 and each of the other's came, in order. */
function converse(
  raw: Person['raw'],
  me: RawUser,
  other: RawUser,
  count: number,
): Promise<{ codes: Map<number, number> }> {
  return new Promise((resolve, reject) => {
    const codes = new Map<number, number>();
    const acks = new Acknowledger(raw);
    let [sent, answered, arrived] = [0, 0, 0];
    const fill = (): void => {
      for (; sent < count && sent - answered < WINDOW; sent++)
        raw.send(structs.smpu, { envelope: letter(me, other, sent + 1) });
    };
    const answer = (code: number): void => {
      answered++;
      codes.set(code, (codes.get(code) ?? 0) + 1);
    };
    raw.fast = (bytes) => {
      const opcode = peekOpcode(bytes);
      if (opcode === structs.rvum.opcode) {
        const sequence = readEnvelopeHeader(bytes.subarray(ANSWER_HEADER, ANSWER_HEADER + ENVELOPE))?.sequence;
        if (sequence !== ++arrived) reject(new Error(`message ${String(sequence)} came as number ${String(arrived)}`));
        acks.add(bytes.slice(6, 22));
        if (arrived % STALL_EVERY === 100) acks.hold(ACKNOWLEDGE_MS + 100);
      } else if (opcode === structs.smpu.opcode) {
        const decoded = decode(structs.answer, bytes);
        answer(decoded.problem ? 0 : decoded.header.code);
      } else if (opcode === structs.ansr.opcode) {
        const decoded = decode(structs.ansr, bytes);
        if (decoded.problem) reject(new Error(decoded.problem));
        else for (const row of decoded.values.answers) if (row.opcode === structs.smpu.opcode) answer(row.code);
      } else if (opcode === structs.dlvd.opcode)
        acks.add(bytes.slice(6, 22)); // on a slow machine some wait for the disk
      else reject(new Error(`opcode ${String(opcode)}`));
      fill();
      if (answered === count && arrived === count) resolve({ codes });
    };
    raw.closed.then(() => {
      reject(new Error('the connection was closed'));
    }, reject);
    fill();
  });
}

for (const tls of [false, true])
  test(`epochs under load lose nothing (${tls ? 'TLS' : 'TCP'})`, async (t) => {
    const args = ['--limit', `epoch-frames=${String(EPOCH_ACCEPT_FRAMES)}`];
    const daemon = await startLavish(t, { network: await makeNetwork(), tls, args });
    const [a, b] = await couple(t, daemon, ['alice', 'bobby']);
    const [left, right] = [await eager(t, daemon, a.user), await eager(t, daemon, b.user)];
    const each = Math.ceil(MESSAGES / 4);
    const [one, two] = await Promise.all([converse(left, a.user, b.user, each), converse(right, b.user, a.user, each)]);
    for (const { codes } of [one, two])
      t.equal((codes.get(Code.done) ?? 0) + (codes.get(Code.queued) ?? 0), each, JSON.stringify([...codes]));
    const turns = left.epochs + right.epochs;
    t.ok(turns >= Math.floor((2 * each) / EPOCH_ACCEPT_FRAMES), `${String(turns)} turns of the daemon alone`);
    t.comment(`${String(2 * each)} messages, ${String(turns)} epochs s2c, at least as many c2s`);
  });

test('case 5: a new block before its time closes at once, and nobody else notices', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  const [a, b] = await couple(t, daemon, ['alice', 'bobby']);
  a.raw.ahead = EPOCH_MS;
  const before = a.raw.bytesReceived;
  a.raw.send(structs.keyq, { name: 'alice' });
  await a.raw.closed;
  t.equal(a.raw.bytesReceived, before, 'without a byte');
  t.equal((await b.raw.ask(structs.keyq, { name: 'alice' })).header.code, Code.done);
  await daemon.logged('reason=frame');
  const again = await enter(t, daemon, a.user);
  again.raw.connection.write(new Uint8Array(2048));
  await again.raw.closed;
  t.equal((await b.raw.ask(structs.keyq, { name: 'alice' })).header.code, Code.done);
});
