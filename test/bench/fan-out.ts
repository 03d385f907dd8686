/** A room of many: what a message costs that goes to each of them. */
import type { TestNetwork } from '../support/daemon.js';
import type { Teardown } from '../support/temp.js';
import type { Flooded } from './load.js';
import { loadFor, measured, startBenched } from './routing.js';
import { round, say, type Row } from './row.js';

export const MEMBERS = 500;
export const ONLINE = 200;
export const SPEAKERS = 4;
/**
 * Messages of one speaker under way. With all speakers' so few that everybody acknowledges each within the daemon's
 * patience, 250 ms, on a machine that is busy with other work: later ones would go to the disk.
 */
export const SPEAKER_WINDOW = 1;

/** Two rooms of the same people: one where only they are, and one where others have gone away. */
export async function rooms(scope: Teardown, network: TestNetwork, tls: boolean, seconds: number): Promise<Row[]> {
  const link = tls ? 'TLS' : 'TCP';
  const daemon = await startBenched(scope, { network, tls });
  const load = await loadFor(scope, daemon);
  say(`${link}: ${String(MEMBERS)} users register …`);
  await load.order({ kind: 'crowd', count: MEMBERS });
  say(`${link}: they enter a room, and ${String(MEMBERS - ONLINE)} go away …`);
  await load.order({ kind: 'room', name: 'many', members: MEMBERS, speakers: SPEAKERS });
  await load.order({ kind: 'away', stay: ONLINE });
  say(`${link}: the others enter one more …`);
  await load.order({ kind: 'room', name: 'here', members: ONLINE, speakers: SPEAKERS });
  const measure = async (room: string, members: number, what: string): Promise<Row> => {
    say(`${link}: they speak, ${what} …`);
    const order = { kind: 'say', room, window: SPEAKER_WINDOW } as const;
    await load.order({ ...order, seconds: 2 }); // warm
    const { result, cpu } = await measured(daemon, () => load.order<Flooded>({ ...order, seconds }));
    const { messages, delivered, queued, ms, frames, p50, p99 } = result;
    return {
      what: `a room of ${String(members)}, ${what}`,
      link,
      figures: {
        'messages/s': round((1000 * messages) / ms),
        'deliveries/s': Math.round((1000 * delivered) / ms),
        'daemon CPU µs each delivery': round(cpu / delivered),
        'µs each recipient': round(cpu / messages / (members - 1)),
        'frames each delivery': round(frames / delivered, 2),
        'p50 ms': round(p50),
        'p99 ms': round(p99),
        'of them answered 202, %': round((100 * queued) / messages),
      },
    };
  };
  const rows = [
    await measure('here', ONLINE, 'all online'),
    await measure('many', MEMBERS, `${String(ONLINE)} online, copies for the others on the disk`),
  ];
  await load.end();
  await daemon.stop();
  return rows;
}
