/** So many changes of keys in a day: each goes to everybody who was ever asked, strangers too (SPEC 6.12, 6.13). */
import { test } from 'tap';
import { Code, structs, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { recoveryHash, withSecurity } from '../../src/server/factors.js';
import { sessionAt, startFuzzed } from '../fuzz/daemon-server.js';
import { logIn, makeUser, registerUser, type RawConnection, type RawUser, type Received } from '../support/raw.js';
import { beginRecovery, rekeyed, renew } from '../support/raw-keys.js';

test('beyond them 429, with the time to wait; nothing has changed, and no code is used up', async (t) => {
  const daemon = await startFuzzed(t, undefined, { limits: { 'key-changes-per-day': 2 } });
  const user = await makeUser('alice');
  await registerUser(await sessionAt(daemon), user);
  const { uid } = user;
  const code = nodeSync.random(10);
  const recovery = [recoveryHash({ sync: nodeSync }, uid, code)];
  await daemon.store.changeAccount(uid, (account) => withSecurity(account, { recovery }));
  const there = async (of: RawUser): Promise<RawConnection> => {
    const raw = await sessionAt(daemon);
    t.equal((await logIn(raw, of)).header.code, Code.done);
    return raw;
  };
  const late = ({ header, values }: Received | undefined = {} as Received): void => {
    t.equal(header.code, Code.limited);
    const { wait } = values as Values<typeof structs.answer>;
    t.ok(wait > 86_000 && wait <= 86_400, `${String(wait)} s`);
  };
  let now = user;
  for (let n = 0; n < 2; n++) {
    const next = await rekeyed(now, now.w);
    t.equal((await renew(await there(now), now, next, now.proof)).header.code, Code.done);
    now = next;
  }
  late(await renew(await there(now), now, await rekeyed(now, now.w), now.proof));
  const begun = await beginRecovery(await sessionAt(daemon), await rekeyed(now), code);
  late(await begun.finish?.());
  await there(now);
  t.equal((await daemon.store.accountByUid(uid))?.security.recovery.length, 1);
});
