/** Copies of a folder that holds more than a store puts there: the copy before an upgrade, on a real disk. */
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { nodeFiles } from '../../src/store/journal/disk.js';
import { keepCopy } from '../../src/store/upgrade/copy.js';
import { temporaryFolder } from '../support/temp.js';

test('sockets and links stay behind; what only has the name of a copy is none', async (t) => {
  const data = await temporaryFolder(t);
  const folder = join(data, 'net');
  mkdirSync(join(folder, 'users'), { recursive: true });
  writeFileSync(join(folder, 'users/one'), 'kept');
  symlinkSync('/etc', join(folder, 'users/link'));
  const socket = createServer().listen(join(folder, 'control.sock'));
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  writeFileSync(`${folder}.before-upgrade-3-notes`, 'of the operator');
  symlinkSync(folder, `${folder}.before-upgrade-3-link`);
  const made = await keepCopy(nodeFiles, folder, 3, 0, () => undefined);
  t.same(readdirSync(made), ['users']);
  t.same(readdirSync(join(made, 'users')), ['one']);
  t.equal(readFileSync(join(made, 'users/one'), 'utf8'), 'kept');
  t.equal(await keepCopy(nodeFiles, folder, 3, 5_000, () => undefined), made, 'made once');
});
