/** The simulated disk keeps its rules, so that what a store survives there means something. */
import { test, type Test } from 'tap';
import type { DiskFile } from '../../src/store/journal/disk.js';
import { Draws } from '../support/draws.js';
import { atCall, diskError, SimulatedDisk } from '../support/simulated-disk.js';
import { SECTOR, type DataLeft, type EntriesLeft } from '../support/simulated-node.js';

const SECTORS: readonly DataLeft[] = ['none', 'all', 'sectors'];
const ENTRIES: readonly EntriesLeft[] = ['none', 'all', 'sequence', 'folders'];
const ROUNDS = 300;

function newDisk(seed = 1): SimulatedDisk {
  return new SimulatedDisk(new Draws(seed));
}

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

async function writeAll(file: DiskFile, bytes: Uint8Array, position = 0): Promise<void> {
  const { bytesWritten } = await file.write(bytes, 0, bytes.length, position);
  if (bytesWritten !== bytes.length) throw new Error('short');
}

/** Makes a file, or opens it, and writes; it stays open. */
async function put(disk: SimulatedDisk, path: string, bytes: Uint8Array): Promise<DiskFile> {
  const file = await disk.open(path, 'w', 0o600);
  await writeAll(file, bytes);
  return file;
}

async function content(disk: SimulatedDisk, path: string): Promise<Buffer> {
  const file = await disk.open(path, 'r');
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size);
  const { bytesRead } = await file.read(bytes, 0, size, 0);
  await file.close();
  return bytes.subarray(0, bytesRead);
}

async function syncFolder(disk: SimulatedDisk, path: string): Promise<void> {
  const folder = await disk.open(path, 'r');
  await folder.sync();
  await folder.close();
}

async function rejectsWith(t: Test, code: string, call: Promise<unknown>): Promise<void> {
  await t.rejects(call, { code });
}

test('files and folders do what those of node do', async (t) => {
  const disk = newDisk();
  await disk.mkdir('/a', { mode: 0o700 });
  const file = await put(disk, '/a/x', Buffer.from('hello'));
  await writeAll(file, Buffer.from('p!'), 8);
  t.same(await content(disk, '/a/x'), Buffer.from('hello\0\0\0p!'), 'a gap is zeros');
  await file.truncate(4);
  await file.truncate(6);
  t.same(await content(disk, '/a/x'), Buffer.from('hell\0\0'), 'what was cut off does not come back');
  await file.chmod(0o640);
  const facts = await disk.lstat('/a/x');
  t.same([facts.mode, facts.size, facts.isDirectory(), facts.isSymbolicLink()], [0o640, 6, false, false]);
  t.same([(await disk.lstat('/a')).mode, (await disk.lstat('/a')).isDirectory()], [0o700, true]);
  await disk.chmod('/a', 0o750);
  t.equal((await disk.lstat('/a')).mode, 0o750);
  await put(disk, '/a/y', Buffer.from('other'));
  t.same((await disk.readdir('/a')).sort(), ['x', 'y']);
  await disk.rename('/a/y', '/a/x');
  t.same(await disk.readdir('/a'), ['x']);
  t.same(await content(disk, '/a/x'), Buffer.from('other'));
  await writeAll(file, Buffer.from('H'));
  const old = Buffer.alloc(9);
  t.same([(await file.read(old, 0, 9, 0)).bytesRead, old[0]], [6, 72], 'an open file lives on when it is renamed over');
  await disk.rename('/a', '/b');
  t.same(await content(disk, '/b/x'), Buffer.from('other'));
  await disk.unlink('/b/x');
  await disk.rmdir('/b');
  t.same(await disk.readdir('/'), []);
  await file.close();
  t.equal(disk.counts.rename, 2);
});

test('what real ones refuse is refused', async (t) => {
  const disk = newDisk();
  await disk.mkdir('/a', { mode: 0o700 });
  await (await put(disk, '/a/x', filled(1, 1))).close();
  await rejectsWith(t, 'ENOENT', disk.open('/a/none', 'r'));
  await rejectsWith(t, 'ENOENT', disk.open('/a/none', 'r+'));
  await rejectsWith(t, 'ENOENT', disk.open('/none/x', 'w'));
  await rejectsWith(t, 'EEXIST', disk.open('/a/x', 'wx'));
  await rejectsWith(t, 'EISDIR', disk.open('/a', 'r+'));
  await rejectsWith(t, 'ENOTDIR', disk.open('/a/x/y', 'w'));
  await rejectsWith(t, 'ENOTDIR', disk.readdir('/a/x'));
  await rejectsWith(t, 'EEXIST', disk.mkdir('/a', { mode: 0o700 }));
  await rejectsWith(t, 'ENOTEMPTY', disk.rmdir('/a'));
  await rejectsWith(t, 'EISDIR', disk.unlink('/a'));
  await rejectsWith(t, 'ENOENT', disk.rename('/a/none', '/a/x'));
  await rejectsWith(t, 'EISDIR', disk.rename('/a/x', '/a'));
  const reader = await disk.open('/a/x', 'r');
  await rejectsWith(t, 'EBADF', reader.write(filled(1, 1), 0, 1, 0));
  await reader.close();
  await rejectsWith(t, 'EBADF', reader.stat());
  await rejectsWith(t, 'EBADF', reader.close());
  t.equal(disk.handles, 0);
  disk.maxOpen = 1;
  const one = await disk.open('/a/x', 'r');
  await rejectsWith(t, 'EMFILE', disk.open('/a/x', 'r'));
  await one.close();
  await (await disk.open('/a/x', 'r')).close();
});

test('what was synced survives every power cut', async (t) => {
  for (let seed = 0; seed < ROUNDS; seed++) {
    const draws = new Draws(seed);
    const disk = newDisk(seed);
    const file = await put(disk, '/x', filled(3000, 1));
    await file.datasync();
    await syncFolder(disk, '/');
    await writeAll(file, filled(2000, 2), 1000);
    const left = await content(disk.crash(draws), '/x');
    t.equal(left.length, 3000);
    // Bytes 1,000 to 1,023 are in a sector that was written again.
    const kept = new Set(left.subarray(0, 1000));
    if (kept.size !== 1 || !kept.has(1)) t.fail(`seed ${seed} lost what was synced`);
    if (left.subarray(1000).some((byte) => byte !== 1 && byte !== 2)) t.fail(`seed ${seed} made bytes up`);
  }
});

test('unsynced writes survive by sectors: all, none, some in any order', async (t) => {
  const seen = new Set<string>();
  for (let seed = 0; seed < ROUNDS; seed++) {
    const disk = newDisk(seed);
    const file = await put(disk, '/x', filled(3 * SECTOR, 1));
    await file.sync();
    await syncFolder(disk, '/');
    await writeAll(file, filled(3 * SECTOR, 2));
    await writeAll(file, filled(100, 3));
    const left = await content(disk.crash(new Draws(seed), { data: 'sectors' }), '/x');
    const sectors = [0, 1, 2].map((n) => left.subarray(n * SECTOR, (n + 1) * SECTOR));
    for (const sector of sectors) {
      if (new Set(sector.subarray(100)).size !== 1) t.fail(`seed ${seed}: a sector is torn`);
    }
    seen.add(sectors.map((sector) => `${String(sector[0])}${String(sector[100])}`).join(' '));
  }
  for (const pattern of ['32 22 22', '11 11 11', '11 22 11', '32 11 11', '22 22 22', '11 11 22']) {
    t.ok(seen.has(pattern), pattern);
  }
  t.notOk(seen.has('31 11 11'), 'a sector is of one moment');
});

test('an unsynced size may or may not survive; what was never written there is zeros', async (t) => {
  const sizes = new Set<number>();
  let zeros = 0;
  for (let seed = 0; seed < ROUNDS; seed++) {
    const disk = newDisk(seed);
    const file = await put(disk, '/x', filled(1000, 1));
    await file.sync();
    await syncFolder(disk, '/');
    await writeAll(file, filled(1000, 2), 1000);
    await file.truncate(300);
    const left = await content(disk.crash(new Draws(seed)), '/x');
    sizes.add(left.length);
    if (left.length > 1536 && left[1536] === 0) zeros++;
  }
  t.same([...sizes].sort(), [1000, 2000, 300]);
  t.ok(zeros > 0);
});

test('with none and all, nothing and everything unsynced survives', async (t) => {
  for (const [data, value] of [
    ['none', 1],
    ['all', 2],
  ] as const) {
    const disk = newDisk();
    const file = await put(disk, '/x', filled(700, 1));
    await file.sync();
    await syncFolder(disk, '/');
    await writeAll(file, filled(700, 2));
    t.same(await content(disk.crash(new Draws(1), { data }), '/x'), Buffer.from(filled(700, value)));
  }
});

test('an entry is durable by the sync of its folder alone', async (t) => {
  const disk = newDisk();
  await disk.mkdir('/a', { mode: 0o700 });
  await syncFolder(disk, '/');
  const file = await put(disk, '/a/x', filled(10, 1));
  await file.sync();
  const gone = disk.crash(new Draws(1), { entries: 'none' });
  t.same(await gone.readdir('/a'), [], 'syncing the file was not enough');

  const next = newDisk();
  await next.mkdir('/a', { mode: 0o700 });
  await put(next, '/a/x', filled(10, 1));
  await syncFolder(next, '/a');
  await syncFolder(next, '/');
  const left = next.crash(new Draws(1), { data: 'none', entries: 'none' });
  t.same(await left.readdir('/a'), ['x']);
  t.equal((await left.lstat('/a/x')).size, 0, 'the folder does not sync the file');
});

test('a rename survives whole or not at all, and old and new have their own bytes', async (t) => {
  const seen = new Set<string>();
  for (let seed = 0; seed < ROUNDS; seed++) {
    const disk = newDisk(seed);
    await (await put(disk, '/x', filled(5, 1))).sync();
    await syncFolder(disk, '/');
    const file = await put(disk, '/new', filled(5, 2));
    await file.sync();
    await disk.rename('/new', '/x');
    const left = disk.crash(new Draws(seed));
    const names = (await left.readdir('/')).sort().join();
    seen.add(`${names} ${(await content(left, '/x')).join('')}`);
  }
  t.same([...seen].sort(), ['new,x 11111', 'x 11111', 'x 22222']);
});

test('changes of folders survive as a beginning: of all, or of each folder', async (t) => {
  const seen: Record<EntriesLeft, Set<string>> = {
    none: new Set(),
    all: new Set(),
    sequence: new Set(),
    folders: new Set(),
  };
  for (const entries of ENTRIES) {
    for (let seed = 0; seed < ROUNDS; seed++) {
      const disk = newDisk(seed);
      await disk.mkdir('/a', { mode: 0o700 });
      await disk.mkdir('/b', { mode: 0o700 });
      await syncFolder(disk, '/');
      for (const path of ['/a/1', '/b/1', '/a/2', '/b/2']) await put(disk, path, filled(1, 1));
      await disk.unlink('/a/1');
      const left = disk.crash(new Draws(seed), { entries });
      const a = (await left.readdir('/a')).sort().join('');
      seen[entries].add(`${a}|${(await left.readdir('/b')).sort().join('')}`);
    }
  }
  t.same([...seen.none], ['|']);
  t.same([...seen.all], ['2|12']);
  t.same([...seen.sequence].sort(), ['1|', '1|1', '12|1', '12|12', '|', '2|12'].sort());
  t.ok(seen.folders.has('2|') && seen.folders.has('|12'), 'the folders are apart');
  t.notOk(
    [...seen.folders].some((each) => /\|2$/.test(each)),
    'in each folder the order holds',
  );
});

test('syncing a folder keeps its changes, and those of the other folder of a rename', async (t) => {
  const disk = newDisk();
  await disk.mkdir('/a', { mode: 0o700 });
  await disk.mkdir('/b', { mode: 0o700 });
  await put(disk, '/a/1', filled(1, 1));
  await put(disk, '/b/2', filled(1, 1));
  await disk.rename('/a/1', '/b/1');
  await put(disk, '/a/3', filled(1, 1));
  await syncFolder(disk, '/b');
  await syncFolder(disk, '/');
  const left = disk.crash(new Draws(1), { entries: 'none' });
  t.same([await left.readdir('/a'), (await left.readdir('/b')).sort()], [[], ['1', '2']]);
});

test('a folder that is not durable is gone with all in it', async (t) => {
  const disk = newDisk();
  await disk.mkdir('/a', { mode: 0o700 });
  await (await put(disk, '/a/x', filled(1, 1))).sync();
  await syncFolder(disk, '/a');
  t.same(await disk.crash(new Draws(1), { entries: 'none' }).readdir('/'), []);
});

test('after a kill everything is there, and what was not synced is still not durable', async (t) => {
  const disk = newDisk();
  const file = await put(disk, '/x', filled(600, 1));
  await syncFolder(disk, '/');
  const next = disk.kill(new Draws(1));
  t.same(await content(next, '/x'), Buffer.from(filled(600, 1)));
  t.equal(next.handles, 0);
  const gone = next.crash(new Draws(1), { data: 'none' });
  t.same(await content(gone, '/x'), Buffer.alloc(0));
  let settled = false;
  const call = file.sync().finally(() => {
    settled = true;
  });
  await Promise.race([call, new Promise((resolve) => setImmediate(resolve))]);
  t.notOk(settled, 'the calls of the dead process never settle');
});

test('faults come when they are told to', async (t) => {
  const disk = newDisk();
  const file = await put(disk, '/x', filled(10, 1));
  const asked: string[] = [];
  disk.fault = (call, path) => {
    asked.push(`${call} ${path}`);
    return call === 'write' ? 1 : call === 'stat' ? diskError('EIO') : undefined;
  };
  t.same(await file.write(filled(5, 2), 0, 5, 0), { bytesWritten: 1 });
  await rejectsWith(t, 'EIO', file.stat());
  disk.fault = () => undefined;
  t.same(asked, ['write /x', 'stat /x']);
  t.same(await content(disk, '/x'), Buffer.from([2, ...filled(9, 1)]));
  disk.fault = atCall(2, diskError('ENOSPC'), ['write', 'truncate']);
  await file.stat();
  await file.truncate(9);
  await rejectsWith(t, 'ENOSPC', file.write(filled(5, 3), 0, 5, 0));
  await file.write(filled(5, 4), 0, 5, 0);
  t.equal(disk.counts.truncate, 1);
});

test('short writes throughout write at least one byte', async (t) => {
  const disk = new SimulatedDisk(new Draws(5), { shortWrites: 1 });
  const file = await disk.open('/x', 'w');
  const counts = new Set<number>();
  for (let n = 0; n < 200; n++) counts.add((await file.write(filled(4, 1), 0, 4, 0)).bytesWritten);
  t.same([...counts].sort(), [1, 2, 3]);
  t.equal((await file.write(filled(1, 1), 0, 1, 0)).bytesWritten, 1);
});

test('after a failed sync reads see what is lost, and the next sync brings nothing of it back', async (t) => {
  const left = new Set<string>();
  for (let seed = 0; seed < ROUNDS; seed++) {
    const disk = newDisk(seed);
    const file = await put(disk, '/x', filled(2 * SECTOR, 1));
    await file.sync();
    await syncFolder(disk, '/');
    await writeAll(file, filled(2 * SECTOR, 2));
    disk.fault = atCall(1, diskError('EIO'), ['datasync']);
    await rejectsWith(t, 'EIO', file.datasync());
    await file.datasync();
    t.same(await content(disk, '/x'), Buffer.from(filled(2 * SECTOR, 2)));
    const after = await content(disk.crash(new Draws(seed)), '/x');
    left.add(`${String(after[0])}${String(after[SECTOR])}`);
  }
  t.same([...left].sort(), ['11', '12', '21', '22']);
  const disk = newDisk();
  disk.fault = atCall(1, diskError('EIO'), ['sync']);
  await put(disk, '/x', filled(1, 1));
  await rejectsWith(t, 'EIO', syncFolder(disk, '/'));
  t.same(await disk.crash(new Draws(1), { entries: 'none' }).readdir('/'), []);
});

test('what is written again after a failed sync is durable with the next, size and all', async (t) => {
  for (let seed = 0; seed < 40; seed++) {
    const disk = newDisk(seed);
    const file = await put(disk, '/x', filled(700, 1));
    await syncFolder(disk, '/');
    disk.fault = atCall(1, diskError('EIO'), ['datasync']);
    await rejectsWith(t, 'EIO', file.datasync());
    await writeAll(file, filled(700, 1));
    await file.datasync();
    t.same(await content(disk.crash(new Draws(seed)), '/x'), Buffer.from(filled(700, 1)));
  }
});

test('a sector that is written again after a failed sync is durable whole with the next', async (t) => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = newDisk(seed);
    const file = await put(disk, '/x', filled(SECTOR, 1));
    await syncFolder(disk, '/');
    disk.fault = atCall(1, diskError('EIO'), ['sync']);
    await rejectsWith(t, 'EIO', file.sync());
    await writeAll(file, filled(1, 2));
    await file.sync();
    const after = await content(disk.crash(new Draws(seed)), '/x');
    if (after.length > 1) t.same([after[0], after[1]], [2, 1]);
  }
});

test('a full disk writes short, then refuses, and takes more when there is room again', async (t) => {
  const disk = newDisk();
  const file = await put(disk, '/x', filled(100, 1));
  disk.capacity = disk.used + 50;
  t.same(await file.write(filled(80, 2), 0, 80, 100), { bytesWritten: 50 });
  await rejectsWith(t, 'ENOSPC', file.write(filled(80, 2), 0, 80, 150));
  await rejectsWith(t, 'ENOSPC', disk.open('/y', 'w'));
  await rejectsWith(t, 'ENOSPC', disk.mkdir('/z', { mode: 0o700 }));
  t.same(await file.write(filled(80, 3), 0, 80, 0), { bytesWritten: 80 }, 'what is there may be written over');
  await file.truncate(120);
  t.same(await file.write(filled(80, 2), 0, 80, 120), { bytesWritten: 30 });
  await disk.unlink('/x');
  await rejectsWith(t, 'ENOSPC', disk.open('/y', 'w'));
  await file.close();
  await put(disk, '/y', filled(80, 1));
});

test('a call that meets its death never settles, nor does any other', async (t) => {
  const ways = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const disk = newDisk(seed);
    const file = await put(disk, '/x', filled(4, 1));
    await syncFolder(disk, '/');
    disk.fault = atCall(2, 'die');
    let settled = 0;
    const count = (): void => {
      settled++;
    };
    file.stat().then(count, count);
    file.write(filled(4, 2), 0, 4, 0).then(count, count);
    await disk.died;
    disk.readdir('/').then(count, count);
    await new Promise((resolve) => setImmediate(resolve));
    t.ok(settled <= 1);
    t.equal(disk.dead, true);
    ways.add((await content(disk.kill(new Draws(seed)), '/x')).join(''));
  }
  t.ok(ways.has('1111') && ways.has('2222') && ways.has('2211'), [...ways].join());
});

test('a run replays exactly, and another seed runs otherwise', async (t) => {
  const run = async (seed: number): Promise<string> => {
    const lines: string[] = [];
    const disk = new SimulatedDisk(new Draws(seed), { shortWrites: 0.5, turns: 3 });
    disk.trace = (line) => lines.push(line);
    const one = async (name: string): Promise<void> => {
      const file = await disk.open(`/${name}`, 'w');
      for (let n = 0; n < 5; n++) await file.write(filled(9, n), 0, 9, n * 9);
      await file.sync();
      lines.push(`${name} is synced`);
    };
    await Promise.all([one('a'), one('b'), one('c')]);
    lines.push((await disk.readdir('/')).join());
    const left = disk.crash(new Draws(seed + 1));
    for (const name of await left.readdir('/')) lines.push(`${name} ${(await content(left, `/${name}`)).join('')}`);
    return lines.join('\n');
  };
  const runs = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    runs.add(await run(seed));
    t.equal(await run(seed), await run(seed));
  }
  t.equal(runs.size, 20);
});

test('every way of a power cut has a name', (t) => {
  for (const data of SECTORS) {
    for (const entries of ENTRIES) t.ok(newDisk().crash(new Draws(1), { data, entries }));
  }
  t.end();
});
