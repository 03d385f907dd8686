/** What the daemon tells a service manager, with a systemd-notify that writes down what it is called with. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { serviceManager, type ServiceManager } from '../../src/ops/systemd/notify.js';
import { STOP_MS } from '../../src/server/limits.js';
import { temporaryFolder } from '../support/temp.js';

const PID = 4711;

interface Lab {
  readonly environment: Record<string, string | undefined>;
  readonly troubles: string[];
  readonly manager: ServiceManager;
  /** The arguments of each call so far. */
  readonly calls: () => string[];
  readonly until: (holds: () => boolean) => Promise<void>;
}

/** @param script what systemd-notify does, in sh; undefined: there is none */
async function lab(t: Test, script: string | undefined, variables: Record<string, string> = {}): Promise<Lab> {
  const folder = await temporaryFolder(t);
  const [program, record] = [join(folder, 'systemd-notify'), join(folder, 'calls')];
  if (script !== undefined) {
    writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET:$*" >> '${record}'\n${script}\n`);
    chmodSync(program, 0o755);
  }
  const before = process.env['PATH'];
  process.env['PATH'] = script === undefined ? folder : `${folder}:${before ?? ''}`;
  t.teardown(() => (process.env['PATH'] = before));
  const environment = { NOTIFY_SOCKET: '/run/it', HOME: '/', ...variables };
  const troubles: string[] = [];
  const manager = serviceManager(environment, PID, (why) => troubles.push(why));
  const calls = (): string[] =>
    existsSync(record) ? readFileSync(record, 'utf8').trimEnd().split('\n') : []; // prettier-ignore
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await delay(5);
  };
  return { environment, troubles, manager, calls, until };
}

test('one after another, each as it was meant, and no variable is left for children', async (t) => {
  const { environment, troubles, manager, calls } = await lab(t, '', { WATCHDOG_USEC: '1', WATCHDOG_PID: '1' });
  t.same(environment, { HOME: '/' });
  manager.reloading();
  manager.ready('serving home; on $(id) 127.0.0.1:1');
  await manager.close();
  const [first, ...rest] = calls();
  t.match(first, /^\/run\/it:RELOADING=1 MONOTONIC_USEC=\d+$/);
  t.same(rest, ['/run/it:READY=1 STATUS=serving home; on $(id) 127.0.0.1:1']);
  manager.ready('one');
  for (let times = 0; times < 100; times++) {
    manager.reloading();
    manager.ready('again');
  }
  manager.stopping('stopping');
  await manager.close();
  const later = ['/run/it:READY=1 STATUS=one', '/run/it:STOPPING=1 STATUS=stopping'];
  t.same(calls().slice(2), later, 'what was replaced before it left is not told');
  t.same(troubles, []);
});

test('the watchdog is fed at half its time while all is well, and calls do not pile up', async (t) => {
  const slow = await lab(t, 'sleep 0.2', { WATCHDOG_USEC: '1000000', WATCHDOG_PID: String(PID) });
  let isWell = true;
  const from = performance.now();
  slow.manager.watch(() => isWell);
  await slow.until(() => slow.calls().length === 2);
  const took = performance.now() - from;
  t.ok(took >= 980 && took < 5_000, `two pings in ${took.toFixed(0)} ms`);
  t.same(slow.calls(), ['/run/it:WATCHDOG=1', '/run/it:WATCHDOG=1']);
  isWell = false;
  await delay(700);
  t.equal(slow.calls().length, 2);
  await slow.manager.close();
});

test('a service manager that does not listen holds up no end', async (t) => {
  const deaf = await lab(t, 'exec sleep 20');
  deaf.manager.ready('one');
  deaf.manager.stopping('stopping');
  const from = performance.now();
  await deaf.manager.close();
  const took = performance.now() - from;
  t.ok(took < STOP_MS, `closed in ${took.toFixed(0)} ms`);
});

test('a watchdog of another process, or none, is not fed', async (t) => {
  const labs: Lab[] = [];
  for (const variables of [{ WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }, { WATCHDOG_USEC: '0' }, {}])
    labs.push(await lab(t, '', variables));
  for (const { manager } of labs) manager.watch(() => true);
  await delay(700);
  for (const { manager, calls } of labs) {
    await manager.close();
    t.same(calls(), []);
  }
});

test('no systemd-notify, or one that fails: one warning', async (t) => {
  for (const [script, what] of [
    [undefined, 'systemd-notify is not there'],
    ['exit 3', 'systemd-notify ended with 3'],
  ] as const) {
    const { manager, troubles, until } = await lab(t, script);
    manager.ready('serving');
    await until(() => troubles.length > 0);
    manager.stopping('stopping');
    await manager.close();
    t.same(troubles, [what]);
  }
});

test('nothing at all without $NOTIFY_SOCKET', async (t) => {
  const { manager, calls, troubles } = await lab(t, '', { NOTIFY_SOCKET: '', WATCHDOG_USEC: '1000' });
  manager.ready('serving');
  manager.reloading();
  manager.watch(() => true);
  manager.stopping('stopping');
  await manager.close();
  t.same([calls(), troubles], [[], []]);
});
