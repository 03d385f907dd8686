/** Codes of invitations, and what is kept sealed of a person. */
import { test } from 'tap';
import { typedCode, utf8 } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { AtRest } from '../../src/server/at-rest.js';
import { detailsOf, openDetails, sealDetails, withDetails } from '../../src/server/details.js';
import { Invitations } from '../../src/server/invitations.js';
import { noSecurity } from '../../src/store/store.js';

const HOUR = 3600_000;
const now = Date.UTC(2026, 10, 28, 12, 20);

test('a code counts until its hour ends, under the keys with which it was drawn, and no other bytes do', (t) => {
  const secret = nodeSync.random(32);
  const invitations = new Invitations(nodeSync, secret);
  const { code, ends } = invitations.draw(now + HOUR);
  t.equal(code.length, 16);
  t.match(typedCode(code), /^(?:[a-z2-7]{4}-){6}[a-z2-7]{2}$/);
  t.equal(ends, Date.UTC(2026, 10, 28, 14), 'to the end of that hour');
  t.same(new Invitations(nodeSync, secret).read(code, now), { id: code, ends });
  t.ok(invitations.read(code, ends - 1));
  t.equal(invitations.read(code, ends), undefined);
  t.equal(new Invitations(nodeSync, nodeSync.random(32)).read(code, now), undefined, 'of another network');
  for (let bit = 0; bit < 128; bit++) {
    const other = code.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    if (invitations.read(other, now)) t.fail(`bit ${String(bit)} changed`);
  }
  for (const length of [0, 15, 17]) t.equal(invitations.read(new Uint8Array(length), now), undefined);
  t.notSame(invitations.draw(now).code, invitations.draw(now).code);
  t.end();
});

test('what somebody told is sealed, for one account and under one secret', (t) => {
  const atRest = new AtRest(nodeSync, nodeSync.random(32));
  const uid = nodeSync.random(16);
  const most = {
    fullName: 'ö'.repeat(48),
    email: `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c.'.repeat(61)}eu`.slice(0, 254),
  };
  for (const details of [most, { fullName: '', email: 'ada@mail.example' }, { fullName: 'Ada', email: '' }]) {
    const sealed = sealDetails(atRest, uid, details);
    t.notOk(Buffer.from(sealed).includes(details.email || details.fullName));
    t.same(openDetails(atRest, uid, sealed), details);
    t.equal(openDetails(atRest, nodeSync.random(16), sealed), undefined);
    t.equal(openDetails(new AtRest(nodeSync, nodeSync.random(32)), uid, sealed), undefined);
    t.ok(sealed.length <= 1_024, 'as the store takes it');
  }
  const none = { fullName: '', email: '' };
  t.equal(sealDetails(atRest, uid, none).length, 0, 'nothing is told: nothing is kept');
  t.same(openDetails(atRest, uid, new Uint8Array(0)), none);
  for (const odd of [[], [2, 0, 0], [1, 1, 65], [1, 0, 1], [1, 0, 0, 0], [1, 1, 255, 0], [1, 0, 1, 255]])
    t.equal(openDetails(atRest, uid, atRest.seal(uid, 'details', Uint8Array.from(odd))), undefined, odd.join(' '));
  t.end();
});

test('one thing that was told is changed without the other', (t) => {
  const context = { atRest: new AtRest(nodeSync, nodeSync.random(32)) };
  const bytes = nodeSync.random(16);
  const made = { uid: bytes, name: 'ada', enc: bytes, sig: bytes, record: bytes, words: bytes, created: 0 };
  const account = withDetails(context, { ...made, security: noSecurity }, { fullName: 'Ada' });
  const later = withDetails(context, account, { email: 'ada@mail.example' });
  t.same(detailsOf(context, later), { fullName: 'Ada', email: 'ada@mail.example' });
  const others = { ...account, security: { ...noSecurity, details: utf8('sealed by somebody else, long ago') } };
  t.throws(() => detailsOf(context, others), /under other keys/);
  t.end();
});
