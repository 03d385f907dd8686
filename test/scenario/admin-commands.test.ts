/** cadenasd's commands for the operator, as processes, beside a daemon and without one. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { Code, structs } from '../../protocol/index.js';
import { takeLock } from '../../src/ops/instance-lock.js';
import { cadenasd, type Ended } from '../support/cadenasd.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { acknowledge, letter, numberOf } from '../support/letters.js';
import { enterLater, newPerson, startLavish, type Person } from '../support/people.js';
import { befriend, type Received } from '../support/raw.js';
import { flip, lastSegment } from '../support/store-fixture.js';
import { copyTree, temporaryFolder } from '../support/temp.js';

/** On the data of this daemon's network. */
const on =
  (data: string) =>
  async (...args: readonly string[]): Promise<Ended> => {
    const keys = ['backup', 'restore'].includes(args[0] ?? '') ? ['--keys', (await makeNetwork()).keys] : [];
    return cadenasd(...args, '--network', 'test', '--data', data, ...keys);
  };

const oneLine = /^cadenasd: [^\n]+ — [^\n]+\n$/;

/** Refused in one line that says this, with exit 1. */
function refused(t: Test, { code, out, err }: Ended, what: RegExp): void {
  t.same([code, out], [1, ''], err);
  t.match(err, oneLine);
  t.match(err, what);
}

/** All files of a folder with what is in them. */
function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), hash(join(parentPath, name))]),
  );
}

async function pairOf(t: Test, daemon: Daemon): Promise<[Person, Person]> {
  const [a, b] = [await newPerson(t, daemon, 'alice'), await newPerson(t, daemon, 'bobby')];
  await befriend(a.raw, a.user, b.raw, b.user);
  return [a, b];
}

/** Writes one message after another, so many at once; `answered` are those that are on the daemon's disk. */
class Load {
  readonly answered: number[] = [];
  #goesOn = true;
  readonly #ended: Promise<unknown>;

  constructor(from: Person, to: Person, atOnce: number) {
    let number = 0;
    const writing = async (): Promise<void> => {
      while (this.#goesOn) {
        const own = ++number;
        const { header } = await from.raw.ask(structs.smpu, { envelope: letter(from.user, to.user, own) });
        if (header.code === Code.queued) this.answered.push(own);
      }
    };
    this.#ended = Promise.all(Array.from({ length: atOnce }, writing));
  }

  async until(count: number): Promise<void> {
    while (this.answered.length < count) await delay(5);
  }

  async stop(): Promise<void> {
    this.#goesOn = false;
    await this.#ended;
  }
}

const isMessage = ({ opcode }: Received): boolean => opcode === structs.rvum.opcode;

test('check, backup and export beside a daemon under load; restore elsewhere and start', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const admin = on(daemon.data);
  const [alice, bobby] = await pairOf(t, daemon);
  bobby.raw.close();
  const load = new Load(alice, bobby, 16);
  await load.until(500);

  const checked = await admin('check');
  t.same([checked.code, checked.err], [0, '']);
  t.match(checked.out, /^accounts +2\n[^]*^messages +[\d,]+\n[^]*^sound\n$/m);

  const before = [...load.answered];
  const folder = await temporaryFolder(t);
  const copy = join(folder, 'copy');
  const made = await admin('backup', copy, '--json');
  t.same([made.code, made.err], [0, '']);
  const { messages, ...backup } = JSON.parse(made.out) as { messages: number };
  t.match(backup, { type: 'backup', network: 'test', accounts: 2, rooms: 0 });
  t.ok(messages >= before.length, `${String(messages)} messages, ${String(before.length)} before`);
  t.equal(statSync(copy).mode & 0o777, 0o700);
  t.ok(load.answered.length > before.length, 'the daemon went on meanwhile');

  const exported = await admin('export', '@bobby');
  t.equal(exported.code, 0);
  const all = JSON.parse(exported.out) as { name: string; waiting: unknown[]; contacts: unknown[] };
  t.equal(all.name, 'bobby');
  t.ok(all.waiting.length >= before.length);
  t.match(all.contacts, [{ name: 'alice', consent: 'open' }]);
  const out = join(folder, 'bobby.json');
  t.same(await admin('export', 'bobby', '--out', out), { code: 0, out: '', err: '' });
  t.equal(statSync(out).mode & 0o777, 0o600);
  refused(t, await admin('export', 'bobby', '--out', out), /is there already/);
  await load.stop();

  const elsewhere = join(folder, 'elsewhere');
  const restored = await on(elsewhere)('restore', copy);
  t.same([restored.code, restored.err], [0, '']);
  t.match(restored.out, /come again[^]*log in again/);
  const second = await startLavish(t, { network: daemon.network, data: elsewhere });
  const raw = await enterLater(t, second, bobby.user);
  const came = new Set<number>();
  while (came.size < messages) {
    const received = await raw.next(isMessage);
    came.add(numberOf(received));
    acknowledge(raw, received.frameId);
  }
  t.same(
    before.filter((number) => !came.has(number)),
    [],
    'all that was acknowledged before the backup is there',
  );
});

test('what needs the store for itself is refused while the daemon runs, and mistakes are one line', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const admin = on(daemon.data);
  const alice = await newPerson(t, daemon, 'alice');
  const folder = await temporaryFolder(t);
  const copy = join(folder, 'copy');
  t.equal((await admin('backup', copy)).code, 0);

  refused(t, await admin('delete', '@alice', '--yes'), /a cadenasd runs on/);
  refused(t, await admin('repair', '--yes'), /a cadenasd runs on/);
  refused(t, await admin('restore', copy, '--replace'), /a cadenasd runs on/);
  refused(t, await admin('backup', copy), /is there already — name a new folder/);
  refused(t, await admin('backup', join(daemon.data, 'test', 'copy')), /lies in the store/);
  refused(t, await admin('export', '@nobody'), /no account in .* has the name @nobody/);
  refused(t, await admin('export', '../alice'), /no account can have this name/);
  refused(t, await cadenasd('check', '--data', join(folder, 'none')), /is not there/);
  refused(t, await cadenasd('check', '--network', '../x'), /--network can't be this — write a–z/);
  refused(t, await cadenasd('backup'), /missing required argument/);
  refused(t, await cadenasd('check', 'all'), /too many arguments/);
  refused(t, await on(join(folder, 'new'))('restore', join(folder, 'none')), /is not there/);
  mkdirSync(join(folder, 'unfinished'));
  refused(t, await on(join(folder, 'new'))('restore', join(folder, 'unfinished')), /holds no finished backup/);
  for (const command of ['check', 'repair', 'backup', 'restore', 'export', 'delete']) {
    const { code, out } = await cadenasd(command, '--help');
    t.equal(code, 0);
    t.match(out, /--network[^]*--data/);
  }

  const other = await takeLock(join(daemon.data, 'test', 'journal'));
  refused(t, await admin('check'), /another command of cadenasd works on .* — wait/);
  other?.release();

  alice.raw.close();
  t.equal(await daemon.stop(), 0);
  refused(t, await admin('restore', copy), /holds a store already — use --replace/);
  refused(t, await admin('delete', '@alice'), /no terminal to ask on — add --yes/);
  const uid = Buffer.from(alice.user.uid).toString('hex');
  const deleted = await admin('delete', '@alice', '--yes');
  t.same([deleted.code, deleted.err], [0, '']);
  t.match(deleted.out, new RegExp(`deleted @alice \\(${uid}\\)[^]*Backups`));
  t.notOk(existsSync(join(daemon.data, 'test', 'users', uid)));
  refused(t, await admin('delete', '@alice', '--yes'), /has the name @alice/);
  const rotten = join(folder, 'rotten');
  copyTree(copy, rotten);
  flip(lastSegment(rotten), 100);
  const before = contentOf(join(daemon.data, 'test'));
  const damaged = await admin('restore', rotten, '--replace');
  t.equal(damaged.code, 3);
  t.match(damaged.out, /^damage .*nothing was restored/s);
  t.same(contentOf(join(daemon.data, 'test')), before);
  t.equal((await admin('restore', copy, '--replace')).code, 0);
  t.equal((await admin('export', '@alice')).code, 0, 'the backup still holds it');
  t.equal(readdirSync(daemon.data).filter((name) => name.startsWith('test.before-restore-')).length, 1);
});

test('case 20: a flipped bit in the journal refuses the start and touches nothing; repair mends it', async (t) => {
  const network = await makeNetwork();
  const daemon = await startLavish(t, { network });
  const admin = on(daemon.data);
  const [alice, bobby] = await pairOf(t, daemon);
  bobby.raw.close();
  const load = new Load(alice, bobby, 1);
  await load.until(50);
  await load.stop();
  await daemon.kill();
  const folder = join(daemon.data, 'test');
  const journal = lastSegment(folder);
  flip(journal, Math.floor(statSync(journal).size / 2));
  const before = contentOf(folder);

  const start = startDaemon(t, { network, data: daemon.data });
  await t.rejects(start, /cadenasd: [^\n]*is damaged at byte \d+, before sound records[^\n]*repair[^\n]*\n$/);
  t.same(contentOf(folder), before, 'the data is as it was');

  const checked = await admin('check');
  t.equal(checked.code, 3);
  t.match(checked.out, /^damage .*\.log is damaged at byte \d+: the record of LSN \d+ is lost$/m);
  refused(t, await admin('backup', join(daemon.data, 'copy')), /is damaged — run cadenasd check and repair/);
  t.equal((await admin('repair', '--dry-run')).code, 3);
  const unasked = await admin('repair');
  t.equal(unasked.code, 1);
  t.match(unasked.err, /no terminal to ask on — add --yes/);
  t.same(contentOf(folder), before);

  const repaired = await admin('repair', '--yes');
  t.same([repaired.code, repaired.err], [0, '']);
  t.match(repaired.out, /lost: the record of LSN \d+ is lost[^]*repaired: the store is sound/);
  t.ok(readdirSync(daemon.data).some((name) => name.startsWith('test.quarantine-')));
  t.equal((await admin('check')).code, 0);
  const { waiting } = JSON.parse((await admin('export', 'bobby')).out) as { waiting: unknown[] };
  t.equal(waiting.length, load.answered.length - 1, 'all but the one that was damaged');
  const again = await startDaemon(t, { network, data: daemon.data });
  t.equal(await again.stop(), 0);
});

test('a disk that can’t be read is exit 2', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  await newPerson(t, daemon, 'alice');
  await daemon.stop();
  const index = join(daemon.data, 'test', 'index');
  rmSync(index);
  mkdirSync(index);
  writeFileSync(join(index, 'x'), '');
  const { code, err } = await on(daemon.data)('check');
  t.equal(code, 2);
  t.match(err, /^cadenasd: [^\n]+\n$/);
});
