/** Second factor, sessions and the pictures of codes on the command line, over a client that answers as the test says. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'uqr';
import { test } from 'tap';
import { error, type AccountView, type SafetyView } from '../../src/client/index.js';
import { qrText, qrWidth } from '../../src/faces/wording/qr.js';
import { FakeClient, faceOf } from './cli-fake.js';

const account: AccountView = {
  name: 'alice',
  factor: 'totp',
  codes: 9,
  created: 1,
  fullName: '',
  email: '',
  sessions: [
    { id: 'aaaa1111', ends: Date.now() + 3600_000, current: true },
    { id: 'bbbb2222', ends: Date.now() + 7200_000, current: false },
  ],
};
const codes = ['aaaa-bbbb-cccc-dddd', 'eeee-ffff-gggg-hhhh'];
const uri = 'otpauth://totp/Cadenas%20test:alice?secret=ABCDEFGH&issuer=Cadenas%20test';

/** Throws as often as it is called with something else than this code. */
function asking<T>(due: string, answer: T) {
  return ({ code }: { readonly code?: string }): T => {
    if (code === undefined) throw error('code-needed', 'alice');
    if (code !== due) throw error('wrong-code');
    return answer;
  };
}

void test('a factor is set up on a terminal: secret, code, recovery codes', async (t) => {
  const client = new FakeClient({
    'factor-begin': asking('111111', { kind: 'totp', secret: 'ABCDEFGH', uri } as const),
    'factor-confirm': ({ code }) => {
      if (code !== '222222') throw error('wrong-code');
      return { codes };
    },
  });
  const face = await faceOf(t, client);
  const shown = await face.run(['2fa', 'enable'], ['000000', '111111', '333333', '222222']);
  t.equal(shown.exit, 0);
  t.match(shown.out, /ABCD EFGH/);
  for (const each of codes) t.match(shown.out, each);
  t.match(shown.err, /does not count.*once more/);
  t.same(
    client.calls.map(([name]) => name),
    ['factor-begin', 'factor-begin', 'factor-begin', 'factor-confirm', 'factor-confirm'],
  );
  const away = await face.run(['2fa', 'enable']);
  t.equal(away.exit, 1);
  t.match(away.err, /set up on a terminal/);
});

void test('a code among the secrets is used where one is needed, and once', async (t) => {
  const client = new FakeClient({
    'factor-disable': asking('111111', {}),
    'recovery-codes': asking('111111', { codes }),
    account: () => account,
  });
  const face = await faceOf(t, client);
  const file = join(t.testdirName, 'secrets.json');
  const given = (code: unknown): readonly string[] => {
    writeFileSync(file, JSON.stringify({ code }), { mode: 0o600 });
    return ['--secrets-file', file];
  };
  const off = await face.run(['2fa', 'disable', '--json', ...given('111111')]);
  t.same(off.json, [{ type: '2fa', factor: 'none' }]);
  t.same(
    client.calls.map(([, args]) => args),
    [{}, { code: '111111' }],
    'first without',
  );
  t.match(await face.run(['recovery', '--json', ...given('111111')]), { exit: 0, json: [{ type: 'recovery', codes }] });
  t.match(await face.run(['recovery', '--json', ...given('999999')]), { exit: 1, json: [{ code: 'wrong-code' }] });
  t.match(await face.run(['recovery', '--json', ...given(5)]), { exit: 1, json: [{ code: 'secrets' }] });
  t.match(await face.run(['recovery', '--json']), { exit: 1, json: [{ code: 'code-needed' }] });
  t.match((await face.run(['2fa', 'status'])).out, /on: codes of an authenticator; 9 recovery codes left/);
  t.match((await face.run(['2fa'])).err, /cadenas 2fa --help/);
});

void test('sessions: listed, one ended, all others ended', async (t) => {
  const client = new FakeClient({ account: () => account, 'session-revoke': () => ({}) });
  const face = await faceOf(t, client);
  t.match((await face.run(['sessions', 'list'])).out, /aaaa1111 {2}until .*\(this one\)\nbbbb2222 {2}until /);
  t.match((await face.run(['sessions', 'revoke', 'bbbb2222'])).out, /session bbbb2222 is over/);
  t.match((await face.run(['sessions', 'revoke-others'])).out, /all other sessions are over/);
  t.same(client.calls.slice(1), [
    ['session-revoke', { session: 'bbbb2222' }],
    ['session-revoke', {}],
  ]);
});

const number = '01234'.repeat(12);
const safety: SafetyView = {
  name: 'bobby',
  number,
  words: Array.from({ length: 18 }, () => 'word'),
  fingerprint: 'ab'.repeat(32),
  verified: false,
  changed: false,
};

void test('a safety number is shown as a QR code, and compared with one', async (t) => {
  const client = new FakeClient({
    verify: () => safety,
    confirm: ({ number: given }) => {
      if (given !== `CADENAS:1:SAFETY:${number}`) throw error('numbers-differ', 'bobby');
      return { ...safety, verified: true, again: 0 };
    },
  });
  const face = await faceOf(t, client);
  const shown = await face.run(['verify', '@bobby', '--qr']);
  t.ok(shown.out.includes(qrText(`CADENAS:1:SAFETY:${number}`, false)), 'without colours where there is no terminal');
  t.match((await face.run(['verify', '@bobby', '--json'])).json, [{ code: `CADENAS:1:SAFETY:${number}` }]);
  const compare = (code: string) => face.run(['verify', '@bobby', '--compare', code]);
  t.match(await compare(`CADENAS:1:SAFETY:${number}`), { exit: 0, out: /verified @bobby/ });
  t.match(await compare('1'.repeat(60)), { exit: 4, err: /not the safety number/ });
  t.match(await face.run(['verify', '@bobby', '--qr', '--confirm']), { exit: 1, err: /exclude each other/ });
});

void test('the picture says what it should, in both manners, and fits a terminal of 80 columns and 24 lines', (t) => {
  for (const text of [uri, `CADENAS:1:SAFETY:${number}`, 'x']) {
    const { data, size } = encode(text, { ecc: 'L', border: 2 });
    for (const coloured of [true, false]) {
      const lines = qrText(text, coloured).split('\n');
      const read: boolean[][] = [];
      for (const line of lines) {
        // eslint-disable-next-line no-control-regex -- colours
        const blocks = [...line.replace(/\u001b\[[0-9;]*m/g, '')];
        const ink = (half: 'upper' | 'lower'): boolean[] =>
          blocks.map((block) => (half === 'upper' ? '█▀' : '█▄').includes(block) === coloured);
        read.push(ink('upper'), ink('lower'));
      }
      t.same(read.slice(0, size), data, `${text.slice(0, 20)}, ${coloured ? 'coloured' : 'plain'}`);
      t.equal(qrWidth(text), size);
      t.ok(size <= 80 && lines.length <= 24, `${String(size)} columns, ${String(lines.length)} lines`);
    }
  }
  t.end();
});
