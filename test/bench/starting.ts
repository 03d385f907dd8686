/** How long a start takes, and what memory the daemon has then, by what is stored. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryOf, startDaemon, type TestNetwork } from '../support/daemon.js';
import { temporaryFolder, type Teardown } from '../support/temp.js';
import { Child } from './child.js';
import type { FillOrder, FillSetup } from './fill.js';
import { round, say, type Row } from './row.js';

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

export async function starting(scope: Teardown, network: TestNetwork, users: number, messages: number): Promise<Row[]> {
  const data = join(await temporaryFolder(scope), 'data');
  const folder = join(data, network.name);
  const setup: FillSetup = { folder };
  const start = async (what: string): Promise<Row> => {
    const journal = await bytesIn(join(folder, 'journal')).catch(() => 0);
    const began = performance.now();
    const daemon = await startDaemon(scope, { network, data });
    const ms = performance.now() - began;
    const memory = await memoryOf(daemon.pid);
    await daemon.kill();
    return {
      what,
      link: 'start',
      figures: {
        's to ready': round(ms / 1000, 2),
        'resident MB': Math.round(memory / 2 ** 20),
        'MB of journal': round(journal / 2 ** 20),
      },
    };
  };
  const rows = [await start('of an empty store')];
  say(`a store of ${String(users)} users and ${String(messages)} messages that wait …`);
  const filling = await Child.start<FillOrder>(scope, './fill.js', setup);
  const filled = await filling.order<{ ms: number }>({ kind: 'fill', users, messages });
  await filling.end(); // at once, as a crash would
  rows.push(await start(`${String(users)} users, ${String(messages)} messages, after a crash`));
  const tidying = await Child.start<FillOrder>(scope, './fill.js', setup);
  const tidied = await tidying.order<{ ms: number }>({ kind: 'checkpoint' });
  await tidying.end();
  rows.push(await start('the same, all in files'));
  rows.push({
    what: 'making it',
    link: 'store',
    figures: { 's to fill': round(filled.ms / 1000), 's of the last checkpoint': round(tidied.ms / 1000) },
  });
  return rows;
}
