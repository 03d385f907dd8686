/** Wrong codes of a second factor, by somebody who has words and a session (SPEC 6.8). */
import { test } from 'tap';
import { structs, utf8, type Values } from '../../protocol/index.js';
import { WRONG_CODES } from '../../src/server/limits.js';
import { sessionAt, startFuzzed } from '../fuzz/daemon-server.js';
import { logIn, makeUser, registerUser } from '../support/raw.js';
import { enableTotp, recovery, totp } from '../support/second-factor.js';

test('wrong codes count for their account: other connections and logins by a grant clear nothing', async (t) => {
  const daemon = await startFuzzed(t);
  const user = await makeUser('alice');
  const raw = await sessionAt(daemon);
  await registerUser(raw, user);
  const first = await logIn(raw, user);
  const grant = (first.values as Values<typeof structs.passAnswer>).grant.slice();
  const { secret, codes } = await enableTotp(raw, user);
  const wrong = { factor: 1, code: utf8('none00') };
  const seen: number[] = [];
  let last = raw;
  for (let n = 0; n <= WRONG_CODES; n++) {
    const guess = { words: user.proof, ...wrong };
    seen.push((await last.ask(n % 2 === 0 ? structs.rcod : structs.dlac, guess)).header.code);
    if (n % 4 !== 0) continue;
    last = await sessionAt(daemon);
    t.equal((await logIn(last, user, { grant })).header.code, 200, 'a session goes on');
  }
  t.ok(
    seen.every((code) => code === 401),
    'as many as people mistype',
  );
  const refused = await last.ask(structs.rcod, { words: user.proof, ...totp(secret) });
  t.equal(refused.header.code, 429, 'then a right one is not looked at either');
  t.equal(refused.values['wait'], 60);
  const elsewhere = await sessionAt(daemon);
  t.equal((await logIn(elsewhere, user, { code: totp(secret) })).header.code, 429, 'at a login neither');
  t.equal((await logIn(elsewhere, user, { code: recovery(codes[0] ?? new Uint8Array(0)) })).header.code, 429);
  t.equal((await logIn(elsewhere, user, { grant })).header.code, 200, 'sessions go on');
});
