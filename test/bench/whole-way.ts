/** The terminal client as the owner of its profile: sealed messages come through a real daemon as fast as others send. */
import { readFile } from 'node:fs/promises';
import { Person } from '../support/at-screen.js';
import { cpuOf, type TestNetwork } from '../support/daemon.js';
import type { Teardown } from '../support/temp.js';
import { Child } from './child.js';
import { startBenched } from './routing.js';
import { round, say, type Row } from './row.js';
import type { Order, Setup, Spoken } from './speakers.js';
import { typing } from './typing.js';

const SPEAKERS = 3;
/** Messages of one speaker under way. */
const WINDOW = 16;
const PASSWORD = 'a garden of words';
/** ms: until all that was sent is on the screen */
const PATIENCE_MS = 120_000;

export async function wholeWay(t: Teardown, network: TestNetwork, seconds: number): Promise<Row[]> {
  const daemon = await startBenched(t, { network, tls: false });
  const { host, port } = daemon;
  const setup: Setup = { host, port, linked: network.linked };
  const speakers = await Child.start<Order>(t, './speakers.js', setup);
  const reader = await Person.sits(t, { network, where: daemon, name: 'reader', columns: 120, rows: 40 });
  await reader.comesIn();
  const { screen } = reader;
  say('terminal: somebody is there to write to it');
  const coming = speakers.order({ kind: 'come', count: SPEAKERS, ask: 'reader' });
  await screen.sees('@speaker0 asks to talk');
  reader.says('/accept @speaker0');
  await coming;
  await speakers.order({ kind: 'room', room: 'hall', password: PASSWORD });
  reader.says('/join #hall');
  await screen.sees('password: ');
  reader.says(PASSWORD);
  await screen.sees(`#hall — ${String(SPEAKERS + 1)} members`);

  const measure = async (to: string, shown: string, what: string): Promise<Row> => {
    say(`terminal: the whole way, ${what}`);
    reader.says(`/query ${shown}`);
    await screen.sees(`${shown}> `);
    const last = `that was all, ${what}`;
    const [begun, cpu, waited] = [performance.now(), await cpuOf(screen.pid), await waitedForCore(screen.pid)];
    const speaking = speakers.order<Spoken>({ kind: 'speak', to, seconds, window: WINDOW, last });
    await screen.sees(/message \d+:/);
    const { 'p50 ms': p50 = 0, ...others } = await typing(screen, `${shown}> `, seconds * 0.9);
    const share = ((await waitedForCore(screen.pid)) - waited) / (performance.now() - begun);
    const { messages } = await speaking;
    await screen.sees(last, PATIENCE_MS);
    const ms = performance.now() - begun;
    return {
      what: `terminal: the whole way, ${what}`,
      link: 'TCP',
      figures: {
        'messages/s': Math.round((1000 * messages) / ms),
        'its CPU ms each': round(((await cpuOf(screen.pid)) - cpu) / 1000 / messages, 2),
        'waited for a core, %': Math.round(100 * share),
        'a key p50 ms': p50,
        ...others,
      },
    };
  };
  const rows = [
    await measure('reader', '@speaker0', 'of one contact'),
    await measure('#hall', '#hall', `a room of ${String(SPEAKERS + 1)}, ${String(SPEAKERS)} speak`),
  ];
  await speakers.end();
  await screen.close();
  await daemon.stop();
  return rows;
}

/** ms that the main thread of a process could have run, had a core been free: as many are at work here as on four machines. */
async function waitedForCore(pid: number): Promise<number> {
  const [, nanoseconds] = (await readFile(`/proc/${String(pid)}/schedstat`, 'utf8')).split(' ');
  return Number(nanoseconds) / 1e6;
}
