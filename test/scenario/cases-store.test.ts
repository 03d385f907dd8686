/** The cases of bad input and faults that are about a running daemon and what it keeps. */
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { Code, FRAME, structs } from '../../protocol/index.js';
import { makeNetwork, memoryOf, startDaemon, type Daemon, type DaemonOptions } from '../support/daemon.js';
import { acknowledge, letter, numberOf } from '../support/letters.js';
import { enter, newPerson, startLavish, type Person } from '../support/people.js';
import { befriend, type RawConnection, type Received } from '../support/raw.js';

const isMessage = ({ opcode }: Received): boolean => opcode === structs.rvum.opcode;

async function pairOf(t: Test, daemon: Daemon, one: string, other: string): Promise<[Person, Person]> {
  const [a, b] = [await newPerson(t, daemon, one), await newPerson(t, daemon, other)];
  await befriend(a.raw, a.user, b.raw, b.user);
  return [a, b];
}

const send = (from: Person, to: Person, number: number): Promise<Received> =>
  from.raw.ask(structs.smpu, { envelope: letter(from.user, to.user, number) });

/** Takes messages until so many came. @returns their numbers */
async function take(raw: RawConnection, count: number): Promise<number[]> {
  const numbers: number[] = [];
  while (numbers.length < count) {
    const received = await raw.next(isMessage);
    numbers.push(numberOf(received));
    acknowledge(raw, received.frameId);
  }
  return numbers;
}

/** One message after another, each acknowledged by its reader. @returns ms of each, sorted */
async function roundTrips(from: Person, to: Person, goOn: (sent: number) => boolean): Promise<number[]> {
  const taken: number[] = [];
  for (let number = 1; goOn(taken.length); number++) {
    const began = performance.now();
    const answer = send(from, to, number);
    await take(to.raw, 1);
    await answer;
    taken.push(performance.now() - began);
  }
  return taken.sort((a, b) => a - b);
}

const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.floor(part * (sorted.length - 1))] ?? 0;

test('case 17: a reader that never reads and a sender that floods it', async (t) => {
  const [entries, flood, atOnce] = [1_000, 72_000, 128];
  /* After so many the daemon has taken what memory it needs: caches, buffers, threads. */
  const settled = flood / 2;
  const args = ['--limit', `queue-entries=${String(2 * entries)}`];
  const daemon = await startLavish(t, { network: await makeNetwork(), args });
  const [flooder, sink] = await pairOf(t, daemon, 'flooder', 'sink');
  const [carol, dave] = await pairOf(t, daemon, 'carol', 'dave');
  const quiet = await roundTrips(carol, dave, (sent) => sent < 300);
  sink.raw.connection.pause();

  const codes = new Map<number, number>();
  const waiting: number[] = [];
  let [before, most] = [0, 0];
  let done = false;
  const flooding = async (): Promise<void> => {
    for (let sent = 0; sent < flood; sent += atOnce) {
      const numbers = Array.from({ length: atOnce }, (_, at) => sent + at);
      const answers = await Promise.all(numbers.map((number) => send(flooder, sink, number)));
      for (const [at, { header }] of answers.entries()) {
        codes.set(header.code, (codes.get(header.code) ?? 0) + 1);
        if (header.code === Code.queued) waiting.push(sent + at);
      }
      if (sent % (8 * atOnce) !== 0) continue;
      const memory = await memoryOf(daemon.pid);
      if (sent < settled) before = Math.max(before, memory);
      else most = Math.max(most, memory);
    }
    done = true;
  };
  const [busy] = await Promise.all([roundTrips(carol, dave, () => !done), flooding()]);

  t.same(new Set(codes.keys()), new Set([Code.queued, Code.limited]), 'queued while there is room, then 429');
  t.equal(waiting.length, entries, 'as many are kept as may wait');
  const grown = (most - before) / 2 ** 20;
  const came = ((flood - settled) * FRAME) / 2 ** 20;
  t.ok(grown < came / 2, `memory grew by ${grown.toFixed(1)} MB while ${came.toFixed(0)} MB came`);
  const [usual, meanwhile] = [percentile(quiet, 0.99), percentile(busy, 0.99)];
  t.ok(meanwhile < usual + 200, `others: p99 ${usual.toFixed(1)} ms before, ${meanwhile.toFixed(1)} ms meanwhile`);

  sink.raw.connection.resume();
  t.same(await take(sink.raw, waiting.length), waiting, 'what was queued comes when it reads, in order');
  const last = send(flooder, sink, flood);
  t.same(await take(sink.raw, 1), [flood]);
  t.ok([Code.done, Code.queued].includes((await last).header.code as 200), 'and there is room again');
});

test('case 19: a disk that fails under load: nothing is acknowledged that is not there', async (t) => {
  const network = await makeNetwork();
  const daemon = await startLavish(t, { network, maxFile: 512 });
  const [a, b] = await pairOf(t, daemon, 'alice', 'bobby');
  b.raw.close();
  const queued: number[] = [];
  const refused = new Set<number>();
  /* Several at once, until the connection ends with the daemon. */
  const writing = async (first: number): Promise<void> => {
    for (let number = first; ; number += 8) {
      const { code } = (await send(a, b, number)).header;
      if (code === Code.queued) queued.push(number);
      else refused.add(code);
    }
  };
  await Promise.allSettled(Array.from({ length: 8 }, (_, at) => writing(at)));
  t.equal(await daemon.exited, 2);
  t.match(daemon.log(), /the disk has failed/);
  t.ok(queued.length > 100, `${String(queued.length)} were queued`);
  t.same(
    [...refused].filter((code) => code !== Code.storage),
    [],
    '507 or nothing',
  );

  const again = await startLavish(t, { network, data: daemon.data });
  const back = await enter(t, again, b.user, false);
  t.ok(back.cnnt.queued >= queued.length);
  const came = await take(back.raw, back.cnnt.queued);
  t.same(new Set(came).size, came.length, 'each once');
  t.same(
    queued.filter((number) => !came.includes(number)),
    [],
    'all that was acknowledged came',
  );
});

/** Everything in a folder: path, mode, time of its last change, and content. */
async function tree(folder: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const name of ['.', ...(await readdir(folder, { recursive: true }))]) {
    const path = join(folder, name);
    const facts = await stat(path);
    const content = facts.isFile() ? await readFile(path, 'base64') : '';
    all[name] = `${(facts.mode & 0o7777).toString(8)} ${String(facts.mtimeMs)} ${content}`;
  }
  return all;
}

async function refusal(t: Test, options: DaemonOptions): Promise<string> {
  return startDaemon(t, options).then(
    () => 'it started',
    (error: unknown) => (error as Error).message,
  );
}

test('case 20: a data folder that others can read, a second instance: refused, the data untouched', async (t) => {
  const network = await makeNetwork();
  const daemon = await startLavish(t, { network });
  const [a, b] = await pairOf(t, daemon, 'alice', 'bobby');
  b.raw.close();
  t.equal((await send(a, b, 1)).header.code, Code.queued);
  a.raw.close();
  const data = join(daemon.data, network.name);

  const running = await tree(data);
  t.match(await refusal(t, { network, data: daemon.data }), /another cadenasd runs on/);
  t.same(await tree(data), running, 'a second instance changed nothing');
  t.ok(await enter(t, daemon, a.user), 'and the first goes on');

  t.equal(await daemon.stop(), 0);
  await chmod(data, 0o755);
  const stopped = await tree(data);
  t.match(await refusal(t, { network, data: daemon.data }), /mode 0755[^\n]*chmod 700/);
  t.same(await tree(data), stopped, 'a start that was refused changed nothing');

  await chmod(data, 0o700);
  const again = await startLavish(t, { network, data: daemon.data });
  const back = await enter(t, again, b.user, false);
  t.same(await take(back.raw, back.cnnt.queued), [1], 'mended, it has all');
});
