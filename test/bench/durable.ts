/** What is synced before it is answered: messages for the absent, through the daemon and in the store alone. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Daemon, TestNetwork } from '../support/daemon.js';
import { temporaryFolder, type Teardown } from '../support/temp.js';
import { Child } from './child.js';
import type { Flooded, Sample } from './load.js';
import { loadFor, measured, startBenched } from './routing.js';
import { percentile, round, say, sorted, type Row } from './row.js';
import type { StoreLoad, StoreOrder, StoreSetup } from './store-load.js';

const WRITERS = 100;
const READERS = 40;
/** Readers of one writer. */
const EACH = 4;
const WINDOW = 64;

/** CPU of the daemon's main thread so far, in µs. */
async function mainThread({ pid }: Daemon): Promise<number> {
  const stat = await readFile(`/proc/${String(pid)}/task/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

export async function queueing(scope: Teardown, network: TestNetwork, seconds: number): Promise<Row[]> {
  const daemon = await startBenched(scope, { network });
  const load = await loadFor(scope, daemon);
  say(`TCP: ${String(WRITERS)} users and ${String(READERS)} who go away …`);
  await load.order({ kind: 'absent', writers: WRITERS, readers: READERS, each: EACH });
  const rows: Row[] = [];
  await load.order({ kind: 'queue', writers: WRITERS, seconds: 1, window: WINDOW }); // warm
  for (const writers of [1, 10, WRITERS]) {
    say(`TCP: ${String(writers)} write to the absent …`);
    const main = await mainThread(daemon);
    const { result, cpu } = await measured(daemon, () =>
      load.order<Flooded>({ kind: 'queue', writers, seconds, window: WINDOW }),
    );
    const { messages, ms, p50, p99 } = result;
    rows.push({
      what: `queued durably, ${String(writers)} senders`,
      link: 'TCP',
      figures: {
        'messages/s': Math.round((1000 * messages) / ms),
        'daemon CPU µs each': round(cpu / messages),
        'of it the main thread': round(((await mainThread(daemon)) - main) / messages),
        'p50 ms': round(p50, 2),
        'p99 ms': round(p99, 2),
      },
    });
  }
  await load.end();
  await daemon.stop();
  return rows;
}

const PROBES = 4;
const PER_SECOND = 4_000;
const LOOK_MS = 5;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** When the daemon brought closed segments of its journal into files, in ms since 1970: there are more than one then. */
function watchCheckpoints(folder: string): { spans: Span[]; stop(): void } {
  const spans: Span[] = [];
  let from: number | undefined;
  const timer = setInterval(() => {
    void readdir(folder).then((names) => {
      const now = Date.now();
      if (names.length > 1) from ??= now;
      else if (from !== undefined) {
        spans.push({ from, to: now });
        from = undefined;
      }
    });
  }, LOOK_MS);
  return {
    spans,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** What two users who are there notice of others' checkpoints. */
export async function latency(scope: Teardown, network: TestNetwork, seconds: number): Promise<Row[]> {
  const daemon = await startBenched(scope, { network });
  const load = await loadFor(scope, daemon);
  await load.order({ kind: 'pairs', pairs: PROBES });
  await load.order({ kind: 'absent', writers: 10, readers: READERS, each: EACH });
  say('TCP: one message at a time, while others are queued and checkpoints are made …');
  const probe = (perSecond: number, time: number) =>
    load.order<{ samples: Sample[]; queued: number }>({ kind: 'probe', seconds: time, perSecond });
  await probe(PER_SECOND, 2); // warm
  const quiet = await probe(0, seconds);
  const watch = watchCheckpoints(join(daemon.data, network.name, 'journal'));
  const busy = await probe(PER_SECOND, 4 * seconds);
  watch.stop();
  await load.end();
  await daemon.stop();
  const during = busy.samples.filter(([at, ms]) => watch.spans.some(({ from, to }) => at >= from && at - ms <= to));
  const between = busy.samples.filter((sample) => !during.includes(sample));
  const row = (what: string, samples: readonly Sample[], more: Readonly<Record<string, number>> = {}): Row => {
    const taken = sorted(samples.map(([, ms]) => ms));
    const figures = {
      'p50 ms': percentile(taken, 0.5),
      'p99 ms': percentile(taken, 0.99),
      'max ms': taken.at(-1) ?? 0,
    };
    const rounded = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, round(value, 2)]));
    return { what, link: 'TCP', figures: { ...rounded, ...more } };
  };
  const longest = Math.max(0, ...watch.spans.map(({ from, to }) => to - from));
  return [
    row('routed one at a time, nothing else', quiet.samples),
    row(`the same, ${String(PER_SECOND)}/s queued besides`, between),
    row('the same, while a checkpoint is made', during, {
      checkpoints: watch.spans.length,
      'longest checkpoint ms': Math.round(longest),
    }),
  ];
}

/** As many as in the rows above, and so many that few of them are in memory when their turn comes. */
const [FEW_USERS, MANY_USERS] = [READERS, 10_000];

async function storeAlone(scope: Teardown, users: number, counting: boolean): Promise<Child<StoreOrder>> {
  const folder = join(await temporaryFolder(scope), 'store');
  const setup: StoreSetup = { folder, users, counting };
  return Child.start<StoreOrder>(scope, './store-load.js', setup, ['--max-semi-space-size=1']); // as the daemon has it
}

/** Without the daemon around it, so that its syncs can be counted and its pauses seen. */
export async function store(scope: Teardown, seconds: number): Promise<Row[]> {
  const rows: Row[] = [];
  say('the store alone …');
  const counting = await storeAlone(scope, FEW_USERS, true);
  for (const atOnce of [WINDOW, 10 * WINDOW, WRITERS * WINDOW]) {
    const done = await counting.order<StoreLoad>({ kind: 'enqueue', atOnce, seconds: seconds / 2 });
    rows.push({
      what: `syncs for 1,000 messages, ${String(atOnce)} under way`,
      link: 'store',
      figures: {
        'of the journal': round((1000 * done.journalSyncs) / done.messages, 2),
        'of checkpoints': round((1000 * done.otherSyncs) / done.messages, 2),
      },
    });
  }
  await counting.end();
  const few = await storeAlone(scope, FEW_USERS, false);
  const load = async (of: Child<StoreOrder>, what: string, order: StoreOrder): Promise<void> => {
    const done = await of.order<StoreLoad>(order);
    const rates = {
      'messages/s': Math.round((1000 * done.messages) / done.ms),
      'CPU µs each': round(done.cpu / done.messages),
    };
    const figures = {
      'pauses of the loop: p99 ms': round(done.pause99, 2),
      'max ms': round(done.pauseMax, 2),
      ...(done.messages > 0 ? rates : {}),
      ...(order.kind === 'checkpoints' ? { checkpoints: done.checkpoints } : {}),
    };
    rows.push({ what, link: 'store', figures });
  };
  const atOnce = 10 * WINDOW;
  await load(few, 'nothing, for comparison', { kind: 'enqueue', atOnce: 0, seconds: seconds / 2 });
  await load(few, `queued, ${String(FEW_USERS)} users in turn`, { kind: 'enqueue', atOnce, seconds });
  await load(few, 'the same, checkpoint after checkpoint', { kind: 'checkpoints', atOnce, seconds });
  await few.end();
  const many = await storeAlone(scope, MANY_USERS, false);
  await load(many, `queued, ${String(MANY_USERS)} users in turn`, { kind: 'enqueue', atOnce, seconds });
  await many.end();
  return rows;
}
