/** status and health. */
import type { Command, ControlHost } from './host.js';
import type { Health, Status } from './types.js';

export function healthOf({ drain, diskFailed }: Pick<ControlHost, 'drain' | 'diskFailed'>): Health {
  const disk = diskFailed() ? 'failed' : 'ok';
  const state = drain.progress.stopping ? 'stopping' : drain.isUnderWay ? 'draining' : 'serving';
  return { healthy: disk === 'ok' && state === 'serving', state, disk };
}

export const health: Command = (host, args) => {
  args.end();
  return Promise.resolve(healthOf(host));
};

export const status: Command = (host, args) => {
  args.end();
  return Promise.resolve(statusOf(host));
};

function statusOf(host: ControlHost): Status {
  const { server, version, started, vitals } = host;
  const { network, presence, store, now } = server.context;
  const { accounts, rooms, queued, queuesKnown, journalBytes, writesWaiting } = store.figures();
  return {
    ...healthOf(host),
    version,
    network,
    pid: process.pid,
    started,
    now: now(),
    address: server.address,
    silent: Math.max(0, Math.ceil((server.answersFrom - now()) / 1000)),
    connections: server.connections,
    online: presence.size,
    accounts,
    rooms,
    queued,
    queuesKnown,
    journalBytes,
    writesWaiting,
    syncs: vitals.syncs,
    lag: vitals.lag,
    memory: process.memoryUsage.rss(),
    minute: vitals.minute,
    history: vitals.history,
  };
}
