/** Rooms on the command line, over a client that answers as the test says. */
import { chmodSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import {
  error,
  type Item,
  type MemberView,
  type NoticeKind,
  type RoomNoticeKind,
  type RoomView,
} from '../../src/client/index.js';
import { itemLine } from '../../src/faces/cli/lines.js';
import { roomLine } from '../../src/faces/wording/rooms.js';
import { askSecrets, secretsFrom } from '../../src/faces/cli/secrets.js';
import { Prompter } from '../../src/faces/cli/prompt.js';
import { FakeClient, faceOf } from './cli-fake.js';
import { code } from './client-parties.js';

const drawn = 'apple river stone lamp brush';
const garden: RoomView = {
  name: 'garden',
  standing: 'member',
  kind: 'password',
  by: 'alice',
  members: 3,
  unread: 2,
  latest: 1_767_225_600_000,
  until: 0,
  common: false,
};
const closed: RoomView = { ...garden, kind: 'invitation' };

/** Rooms that do what they are asked; a password is drawn where none is given. */
function agreeable(room = garden): FakeClient {
  const set = ({ password }: { readonly password?: string }) =>
    room.kind === 'password' && password === undefined ? { ...room, password: drawn } : room;
  return new FakeClient({
    rooms: () => ({ rooms: [room] }),
    'room-create': ({ inviteOnly, password }) => {
      if (inviteOnly) return closed;
      return password === undefined ? { ...garden, password: drawn } : garden;
    },
    'room-join': () => room,
    'room-decline': () => ({}),
    'room-invite': () => room,
    'room-remove': set,
    'room-passwd': set,
    'room-owner': ({ name }) => ({ ...room, by: name }),
    'room-leave': () => ({}),
    'room-delete': () => ({}),
    send: ({ to }) => ({ id: 'ab', to, state: 'delivered' }),
  });
}

function secretsFile(t: Test, value: unknown): readonly string[] {
  const file = join(t.testdirName, 'secrets.json');
  writeFileSync(file, JSON.stringify(value), { mode: 0o600 });
  chmodSync(file, 0o600);
  return ['--secrets-file', file];
}

/** What each command asks of the core, prints, and prints as JSON. */
const plainCommands: readonly (readonly [
  argv: readonly string[],
  call: readonly [string, unknown],
  out: RegExp,
  row: object,
])[] = [
  [
    ['create', 'garden'],
    ['room-create', { room: 'garden', inviteOnly: false }],
    /^made #garden\nthe password of #garden: apple river stone lamp brush\nnote it now/,
    { type: 'room', ...garden, password: drawn },
  ],
  [
    ['create', '#Garden', '--invite-only'],
    ['room-create', { room: 'garden', inviteOnly: true }],
    /^made #garden\nnext: cadenas --home \S+ room invite garden @somebody\n$/,
    { type: 'room', ...closed },
  ],
  [
    ['join', '#garden'],
    ['room-join', { room: 'garden' }],
    /^you are in #garden: owner @alice, 3 members\n$/,
    { type: 'room', ...garden },
  ],
  [
    ['decline', 'garden'],
    ['room-decline', { room: 'garden' }],
    /^declined the invitation to #garden\n$/,
    { type: 'room-gone', name: 'garden', how: 'declined' },
  ],
  [
    ['invite', 'garden', '@Carol'],
    ['room-invite', { room: 'garden', name: 'carol' }],
    /^invited @carol to #garden\n$/,
    { type: 'room', ...garden, invited: 'carol' },
  ],
  [
    ['remove', 'garden', 'bobby'],
    ['room-remove', { room: 'garden', name: 'bobby' }],
    /^removed @bobby from #garden\nthe password of #garden: apple river stone lamp brush\n/,
    { type: 'room', ...garden, password: drawn, removed: 'bobby' },
  ],
  [
    ['owner', 'garden', '@bobby'],
    ['room-owner', { room: 'garden', name: 'bobby' }],
    /^@bobby owns #garden now\n$/,
    { type: 'room', ...garden, by: 'bobby' },
  ],
  [
    ['passwd', 'garden'],
    ['room-passwd', { room: 'garden' }],
    /^#garden has a new password\nthe password of #garden: apple river stone lamp brush\n/,
    { type: 'room', ...garden, password: drawn },
  ],
  [
    ['leave', 'garden'],
    ['room-leave', { room: 'garden' }],
    /^left #garden\n$/,
    { type: 'room-gone', name: 'garden', how: 'left' },
  ],
  [
    ['delete', 'garden', '--yes'],
    ['room-delete', { room: 'garden' }],
    /^deleted #garden\n$/,
    { type: 'room-gone', name: 'garden', how: 'deleted' },
  ],
  [
    ['send', 'garden', 'hello'],
    ['send', { to: '#garden', text: 'hello' }],
    /^ab delivered ✓✓\n$/,
    { type: 'sent', id: 'ab', to: '#garden', room: 'garden', state: 'delivered' },
  ],
  [
    ['send', '#garden', '-'],
    ['send', { to: '#garden', text: 'from a pipe' }],
    /^ab delivered ✓✓\n$/,
    { type: 'sent', id: 'ab', to: '#garden', room: 'garden', state: 'delivered' },
  ],
  [
    ['send', 'garden', '--', '-dash'],
    ['send', { to: '#garden', text: '-dash' }],
    /^ab delivered ✓✓\n$/,
    { type: 'sent', id: 'ab', to: '#garden', room: 'garden', state: 'delivered' },
  ],
];

for (const [argv, call, out, row] of plainCommands)
  test(`room ${argv.join(' ')}`, async (t) => {
    const client = agreeable();
    const face = await faceOf(t, client);
    t.match(await face.run(['room', ...argv]), { exit: 0, out, err: '' });
    const asJson = await face.run(['--json', 'room', ...argv]);
    t.equal(asJson.exit, 0);
    t.same(asJson.json, [row]);
    t.same(client.calls, [call, call], 'a password is drawn where there is nobody to ask');
  });

test('wrong use is one line, exit 1, and the core is not asked', async (t) => {
  const client = agreeable();
  const face = await faceOf(t, client);
  for (const [line, said] of [
    ['', /no command — see cadenas room --help/],
    ['frobnicate', /unknown command 'frobnicate' — see cadenas room --help/],
    ['create', /missing required argument 'name' — see cadenas room --help/],
    ['create ab', /ab is not a name of a room — use 3 to 32/],
    ['create two words', /too many arguments/],
    ['create garden --invite', /unknown option/],
    ['join @bobby', /@bobby is not a name of a room/],
    ['join #@bobby', /is not a name of a room/],
    ['join ##garden', /is not a name of a room/],
    ['decline 1st', /1st is not a name of a room/],
    ['invite garden', /missing required argument '@user'/],
    ['invite garden @x', /@x is not a name — use/],
    ['invite garden #other', /#other is not a name — use/],
    ['remove ä @bobby', /is not a name of a room/],
    ['owner garden @', /@ is not a name — /],
    ['passwd', /missing required argument/],
    ['leave x', /is not a name of a room/],
    ['delete garden', /no terminal to ask on — add --yes/],
    ['delete x --yes', /is not a name of a room/],
    ['send garden', /missing required argument 'text'/],
    ['send garden hello there', /put the text in quotes/],
    ['send x hello', /is not a name of a room/],
    ['history x', /is not a name of a room/],
    ['members', /missing required argument/],
    ['list all', /too many arguments/],
  ] as const) {
    const argv = ['room', ...line.split(' ').filter(Boolean)];
    const { exit, out, err } = await face.run(argv);
    t.equal(exit, 1, line);
    t.equal(out, '', line);
    t.match(err, said);
    t.match(err, /^cadenas: [^\n]+ — [^\n]+\n$/);
    t.match(await face.run(['--json', ...argv]), { exit: 1, err: '', json: [{ type: 'error', code: String }] });
  }
  t.same(client.calls, []);
});

test('help of the group and of a command', async (t) => {
  const face = await faceOf(t, agreeable());
  t.match(await face.run(['--help']), { exit: 0, out: /^ +room\b/m });
  const help = await face.run(['room', '--help']);
  t.equal(help.exit, 0);
  for (const [[command = '']] of plainCommands) t.match(help.out, new RegExp(`^ +${command}\\b`, 'm'));
  for (const command of ['history', 'members', 'list']) t.match(help.out, new RegExp(`^ +${command}\\b`, 'm'));
  t.match(await face.run(['room', 'create', '--help']), { exit: 0, out: /--invite-only/ });
});

test('what the core refuses is told with its exit', async (t) => {
  const client = new FakeClient({
    'room-create': () => {
      throw error('room-taken', 'garden');
    },
    'room-invite': () => {
      throw error('room-untrusted', 'garden');
    },
    'room-join': () => {
      throw error('room-full', 'garden');
    },
    'room-leave': () => {
      throw error('room-owner-leaves', 'garden');
    },
    'room-owner': () => ({ ...garden, trouble: error('room-untrusted', 'garden').trouble }),
    send: () => ({ id: 'ab', to: '#garden', state: 'waiting', trouble: error('offline').trouble }),
  });
  const face = await faceOf(t, client);
  t.match(await face.run(['room', 'create', 'garden']), { exit: 1, err: /there is a room #garden already/ });
  t.match(await face.run(['room', 'invite', 'garden', '@bobby']), { exit: 4, err: /can't be checked any more/ });
  t.match(await face.run(['room', 'join', 'garden']), { exit: 5, err: /#garden is full/ });
  t.match(await face.run(['room', 'leave', 'garden']), {
    exit: 1,
    err: /cadenas --home \S+ room owner garden @somebody/,
  });
  t.match(await face.run(['room', 'owner', 'garden', '@bobby']), {
    exit: 4,
    out: /@bobby owns/,
    err: /nothing is sent/,
  });
  t.match(await face.run(['room', 'send', 'garden', 'hi']), { exit: 3, out: /waiting …/, err: /kept in the outbox/ });
  client.answers.drained = () => {
    throw error('offline');
  };
  const before = client.calls.length;
  t.match(await face.run(['room', 'create', 'garden']), { exit: 3, err: /not connected/ });
  t.equal(client.calls.length, before, 'what changes a room needs a session');
});

const typedNew = 'New password of #garden (8 characters or more; Enter: one of five words is drawn for you): ';

for (const [argv, command] of [
  [['create', 'garden'], 'room-create'],
  [['passwd', 'garden'], 'room-passwd'],
  [['remove', 'garden', '@bobby'], 'room-remove'],
] as const)
  test(`the new password of room ${argv[0]}`, async (t) => {
    const client = agreeable();
    const face = await faceOf(t, client);
    const given = async (options: readonly string[], input?: readonly string[]) => {
      const shown = await face.run(['room', ...argv, ...options], input);
      return { ...shown, password: (client.calls.pop()?.[1] as { password?: string } | undefined)?.password };
    };
    const typed = await given([], ['correct horse', 'correct horse']);
    t.match(typed, { exit: 0, password: 'correct horse' });
    t.ok(typed.err.startsWith(`${typedNew}${'*'.repeat(13)}\nThe same again: `), 'hidden, and asked twice');
    t.notMatch(typed.out, /horse|password of/, 'what was typed is not told back');
    t.match(await given([], ['']), { exit: 0, password: undefined, out: /the password of #garden: apple/ });
    const mended = await given([], ['short', 'correct horse', 'other horse', 'long enough', 'long enough']);
    t.match(mended, { exit: 0, password: 'long enough', err: /too short; once more\n[^]*differ; once more/ });
    t.match(await given([], ['\u0004']), { exit: 1, password: undefined, err: /cancelled/ });
    t.match(await given([], ['\u0003']), { exit: 130, password: undefined, err: /: \n$/ }, 'as by SIGINT');
    const file = secretsFile(t, { rooms: { '#Garden': 'from the file', other: 'another one' } });
    const fromFile = await given(file, ['never asked']);
    t.match(fromFile, { exit: 0, password: 'from the file' });
    t.notMatch(fromFile.err, /password/i, 'nothing is asked');
    t.match(await given(secretsFile(t, { rooms: { other: 'another one' } })), { exit: 0, out: /apple river/ });
    const bad = secretsFile(t, { rooms: ['garden'] });
    t.match(await given(bad), { exit: 1, password: undefined, err: /"rooms" in .* is no object — write "rooms"/ });
    t.same(
      client.calls.filter(([name]) => name !== command),
      [],
    );
  });

test('no password is asked for where there can be none', async (t) => {
  for (const room of [closed, { ...garden, by: 'bobby' }, { ...garden, name: 'elsewhere' }]) {
    const client = agreeable(room);
    client.answers['room-remove'] = client.answers['room-passwd'] = () => room;
    const face = await faceOf(t, client);
    const file = secretsFile(t, { rooms: { garden: 'from the file' } });
    for (const argv of [
      ['remove', 'garden', '@bobby'],
      ['passwd', 'garden'],
      ['remove', 'garden', '@bobby', ...file],
    ]) {
      const { exit, err } = await face.run(['room', ...argv], ['typed password']);
      t.equal(exit, 0);
      t.equal(err, '', 'no question');
      t.notOk('password' in (client.calls.pop()?.[1] as object));
    }
    const { err } = await face.run(['room', 'create', 'garden', '--invite-only', ...file], ['typed password']);
    t.equal(err, '');
    t.same(client.calls.pop(), ['room-create', { room: 'garden', inviteOnly: true }]);
  }
});

test('who joins is asked for the password only where the core needs it', async (t) => {
  const client = new FakeClient({
    'room-join': ({ password }) => {
      if (password === undefined) throw error('room-needs-password', 'garden');
      if (password !== 'correct horse') throw error('room-refused', 'garden');
      return garden;
    },
  });
  const face = await faceOf(t, client);
  const join = (input?: readonly string[], ...options: readonly string[]) =>
    face.run(['room', 'join', 'garden', ...options], input);
  t.match(await join(['correct horse']), { exit: 0, err: 'Password of #garden: *************\n' });
  t.same(client.calls, [
    ['room-join', { room: 'garden' }],
    ['room-join', { room: 'garden', password: 'correct horse' }],
  ]);
  t.match(await join(['wrong horse']), { exit: 1, err: /wrong password for #garden, or there is no such room/ });
  t.match(await join(['']), { exit: 1, err: /#garden needs its password/ });
  t.match(await join(), { exit: 1, err: /^cadenas: #garden needs its password — .*"rooms" among the secrets\n$/ });
  t.match(await join(undefined, ...secretsFile(t, { rooms: { garden: 'correct horse' } })), { exit: 0, err: '' });
  t.match(await join(undefined, ...secretsFile(t, { rooms: { other: 'x' } })), { exit: 1, err: /needs its password/ });
  client.answers['room-join'] = () => garden;
  t.match(await join([], '--secrets-file', '/nowhere'), { exit: 0 }, 'who needs no secrets reads none');
});

test('the secrets of rooms', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 's');
  const prompter = new Prompter({
    env: { XDG_CONFIG_HOME: '/nowhere' },
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    self: [],
    signal: new AbortController().signal,
    interrupt: () => undefined,
  });
  const write = (value: unknown) => {
    writeFileSync(file, JSON.stringify(value), { mode: 0o600 });
  };
  const profile = { password: 'correct horse', words: 'river stone lamp' };
  write({ ...profile, rooms: { '#Garden': 'one', club: 'two' } });
  const descriptor = secretsFrom({ descriptor: openSync(file, 'r') });
  t.same(await askSecrets(descriptor, prompter), profile);
  t.same(
    [...((await descriptor())?.rooms ?? [])],
    [
      ['garden', 'one'],
      ['club', 'two'],
    ],
    'a descriptor is read once',
  );
  for (const [rooms, said] of [
    ['garden', /no object/],
    [null, /no object/],
    [[], /no object/],
    [{ garden: 1 }, /something else than names and passwords/],
    [{ 'my hidden horse': 'garden' }, /something else than names and passwords/],
    [{ '@bobby': 'x' }, /something else/],
    [{ garden: 'a', '#garden': 'b' }, /names #garden twice/],
  ] as const) {
    write({ ...profile, rooms });
    const failed = await secretsFrom({ file })().then(
      () => new Error('taken'),
      (thrown: unknown) => thrown as Error,
    );
    t.match(failed, { code: 'secrets', exit: 1, message: said });
    t.notMatch(failed.message, /horse/);
  }
  write({ rooms: { garden: 'one' } });
  t.equal((await secretsFrom({ file })())?.rooms.get('garden'), 'one', 'a session that runs needs no more');
  t.equal(await code(askSecrets(secretsFrom({ file }), prompter)), 'secrets', 'a profile does');
});

test('deleting asks for the name of the room', async (t) => {
  const client = agreeable();
  const face = await faceOf(t, client);
  const done = await face.run(['room', 'delete', 'garden'], ['gardem\u007fn']);
  t.match(done, { exit: 0, out: 'deleted #garden\n', err: /goes for everybody.*\nType the name of the room: gardem/ });
  t.match(await face.run(['room', 'delete', 'garden'], ['#garden']), { exit: 0 });
  t.equal(client.calls.length, 2);
  for (const input of ['', 'yes', 'gardens', '\u0004', '\u0015'])
    t.match(await face.run(['room', 'delete', 'garden'], [input]), { exit: 1, err: / — start again when you like\n$/ });
  t.match(await face.run(['room', 'delete', 'garden'], ['\u009b\u202e']), { exit: 1, err: /: \?\?\n/ });
  t.equal(client.calls.length, 2, 'nothing is deleted');
  t.match(await face.run(['room', 'delete', 'garden', '--yes'], []), { exit: 0, err: '' });
});

test('rooms and members are listed', async (t) => {
  const others: readonly RoomView[] = [
    { ...closed, name: 'club', by: 'bobby', members: 1, trouble: error('room-untrusted', 'club').trouble },
    { ...garden, name: 'cellar', standing: 'invited', by: 'carol', members: 0, until: Date.now() },
    { ...garden, name: 'lobby', standing: 'offered', by: '', members: 0 },
  ];
  const fingerprint = 'ab'.repeat(32);
  const members: readonly MemberView[] = [
    { name: 'alice', you: true, role: 'owner', online: true, verified: false, fingerprint, inviter: '' },
    { name: 'bobby', you: false, role: 'member', online: false, verified: true, fingerprint, inviter: 'alice' },
    { name: 'carol', you: false, role: 'member', verified: false, fingerprint, inviter: '' },
    { name: 'david', you: false, role: 'invited', verified: false, fingerprint, inviter: 'bobby' },
  ];
  const client = new FakeClient({
    rooms: () => ({ rooms: [garden, ...others] }),
    'room-members': () => ({ members }),
  });
  const face = await faceOf(t, client);
  const list = await face.run(['room', 'list']);
  t.equal(list.exit, 0);
  const lines = list.out.trim().split('\n');
  t.equal(lines[0], '#garden  you are in; by password; owner @alice; 3 members; 2 unread');
  t.match(lines[1], /^#club {2}you are in; by invitation alone; owner @bobby; 1 member; .*NOTHING IS SENT: who is in/);
  t.match(
    lines[2],
    /^#cellar {2}@carol invites you, until \d\d:\d\d today; .*cadenas --home \S+ room join cellar, or cadenas --home \S+ room d/,
  );
  t.match(
    lines[3],
    /^#lobby {2}offered to everybody on this network; whoever runs the daemon can read it; cadenas --home \S+ room join lobby$/,
  );
  const rows = (await face.run(['room', 'list', '--json'])).json;
  t.same(
    rows,
    [garden, ...others].map((room) => ({ type: 'room', ...room })),
  );
  t.match(await face.run(['room', 'members', '#garden']), {
    exit: 0,
    out: [
      '@alice (you)  owner; online',
      '@bobby  member, invited by @alice; away; verified',
      '@carol  member',
      '@david  invited by @bobby',
      '',
    ].join('\n'),
  });
  t.same(
    (await face.run(['--json', 'room', 'members', 'garden'])).json,
    members.map((member) => ({ type: 'member', room: 'garden', ...member })),
  );
  client.answers.drained = () => {
    throw error('offline');
  };
  t.match(await face.run(['room', 'list']), { exit: 3, out: /^#garden/, err: /not connected/ }, 'what is known here');
  client.answers.drained = () => ({});
  client.answers.rooms = () => ({ rooms: [] });
  t.match(await face.run(['room', 'list']), {
    exit: 0,
    out: /^no room yet: cadenas --home \S+ room create NAME, or cadenas --home/,
  });
  t.same((await face.run(['room', 'list', '--json'])).json, []);
});

const base = { key: 'k', order: 1, at: 0 };
const said: Item = { ...base, type: 'message', id: 'm1', from: 'bobby', room: 'garden', text: 'hi\nyou', time: 0 };
const about = (kind: NoticeKind, name: string, detail = ''): Item => ({
  ...base,
  key: `n ${kind}`,
  type: 'notice',
  kind,
  name,
  room: 'garden',
  detail,
});

test('what was said and what happened in rooms', async (t) => {
  let items: readonly Item[] = [said, about('entered', 'carol')];
  const client = new FakeClient({
    unread: () => {
      const now = items;
      items = [];
      return { items: now, more: false };
    },
    history: () => ({
      lines: [
        { ...said, type: 'in' },
        { type: 'out', id: 'm2', order: 2, to: '#garden', text: 'mine', at: 0, state: 'queued' },
      ],
      more: false,
    }),
    status: () => {
      throw error('offline');
    },
  });
  const face = await faceOf(t, client);
  t.match(await face.run(['receive']), {
    exit: 0,
    out: /^\[\d\d:\d\d\] #garden @bobby: hi\n {8}you\n\* @carol came into #garden\n$/,
  });
  items = [said, about('invited', 'bobby')];
  t.match((await face.run(['receive', '--json'])).json, [
    { type: 'message', id: 'm1', from: 'bobby', room: 'garden', text: 'hi\nyou', time: 0, at: 0 },
    { type: 'notice', kind: 'invited', name: 'bobby', room: 'garden', detail: '', at: 0 },
  ]);
  client.calls.length = 0;
  t.match(await face.run(['room', 'history', '#garden']), {
    exit: 0,
    out: /^\[\d\d:\d\d\] @bobby: hi\n {8}you\n\[\d\d:\d\d\] me ✓: mine\n$/,
  });
  t.same(client.calls, [
    ['history', { name: '#garden', after: 0 }],
    ['read', { keys: ['k'] }],
  ]);
  t.match((await face.run(['--json', 'room', 'history', 'garden'])).json, [
    { type: 'line', direction: 'in', from: 'bobby', room: 'garden' },
    { type: 'line', direction: 'out', to: '#garden', room: 'garden', state: 'queued' },
  ]);
});

test('receive --follow tells of rooms and how far texts are', async (t) => {
  let told = false;
  const client: FakeClient = new FakeClient({
    unread: () => {
      if (told) return { items: [], more: false };
      told = true;
      setImmediate(() => {
        client.tell({ type: 'sent', id: 'm2', to: '#garden', state: 'delivered' });
        client.tell({ type: 'sent', id: 'm3', to: 'bobby', state: 'queued' });
        client.tell({ type: 'limited', of: 'messages', wait: 3 });
        /* News for faces that show more than this one. */
        client.tell({ type: 'row', row: said });
        client.tell({ type: 'read', keys: [said.key], at: 1 });
        client.tell({ type: 'gone', keys: [said.key] });
        client.tell({ type: 'changed', of: 'rooms' });
      });
      return { items: [said], more: false };
    },
    status: () => ({
      name: 'alice',
      uid: '',
      network: 'test',
      fingerprint: '',
      server: '',
      session: 'online',
      ends: 0,
      unread: 0,
      waiting: 0,
      contacts: 0,
    }),
  });
  const face = await faceOf(t, client);
  const follow = ['receive', '--follow', '--timeout', '0.5'];
  t.match(await face.run(follow), {
    exit: 0,
    out: /#garden @bobby: hi\n {8}you\n✓✓ #garden m2 delivered\n✓ @bobby m3/,
    err: /the daemon limits how fast you send: what waits in the outbox goes by itself/,
  });
  told = false;
  const { json } = await face.run([...follow, '--json']);
  t.same(
    json.map((row) => (row as { type: string }).type),
    ['message', 'session', 'delivery', 'delivery', 'limited'],
  );
  t.same(
    json.filter((row) => ['delivery', 'limited'].includes((row as { type: string }).type)),
    [
      { type: 'delivery', id: 'm2', to: '#garden', room: 'garden', state: 'delivered' },
      { type: 'delivery', id: 'm3', to: 'bobby', state: 'queued' },
      { type: 'limited', of: 'messages', wait: 3 },
    ],
  );
});

/** Each kind with what its line must say: the person, and what to do next where there is something. */
const notices: Readonly<Record<RoomNoticeKind, RegExp>> = {
  offered: /^\* this network offers #garden .*whoever runs the daemon can read it: cadenas room join garden$/,
  invited: /^\* @bobby invites you to #garden: cadenas room join garden, or cadenas room decline garden$/,
  'invitation-refused': /^\* an invitation of @bobby to #garden .* refused \(why\): ask @bobby/,
  'invitation-ended': /^\* your invitation to #garden ended: ask for another/,
  'invitation-declined': /^\* @bobby declined your invitation to #garden$/,
  entered: /^\* @bobby came into #garden$/,
  left: /^\* @bobby left #garden$/,
  removed: /^\* @bobby was removed from #garden$/,
  owner: /^\* @bobby owns #garden now$/,
  'you-removed': /^\* you are not in #garden any more: /,
  'room-deleted': /^\* #garden was deleted by @bobby$/,
  ghost: /^\* WARNING: .*#garden as @bobby .*\(why\)\. .*Ask @bobby/,
  'change-refused': /^\* WARNING: .*#garden in the name of @bobby .*\(why\): .*tell your operator/,
  'room-key': /^\* WARNING: @bobby changed the key of #garden .*Ask @bobby/,
  untrusted: /^\* WARNING: who is in #garden .*nothing is sent there.* cadenas room join garden/,
};

test('every notice of a room', (t) => {
  for (const [kind, line] of Object.entries(notices)) {
    t.match(itemLine(about(kind as RoomNoticeKind, 'bobby', 'why')), line, kind);
    const nobody = itemLine(about(kind as RoomNoticeKind, ''));
    t.match(nobody, /#garden/, `${kind}: of nobody in particular`);
    t.notMatch(nobody, /@( |$)|@'|\(\)|undefined/, kind);
  }
  t.equal(itemLine(about('owner', '')), '* you own #garden now');
  t.match(itemLine(about('gap', 'bobby', '5-9')), /^\* numbers 5-9 of what @bobby in #garden sent did not come/);
  t.match(itemLine(about('gap', 'bobby', 'chain')), /^\* the messages of @bobby in #garden do not follow/);
  t.match(itemLine(about('incomplete', 'bobby', '1/2')), /of @bobby in #garden is not complete: 1 of 2 parts/);
  t.match(itemLine(about('given-up', 'bobby', '1/2')), /of @bobby in #garden never became complete/);
  t.match(itemLine(about('not-taken', '')), /^\* the daemon did not take a message to #garden: send it anew/);
  t.match(itemLine(about('unreadable', '', 'sender')), /of somebody unknown in #garden was refused \(sender\)/);
  t.match(itemLine(about('unreadable', 'bobby', 'seal')), /in the name of @bobby in #garden was refused \(seal\)/);
  t.end();
});

test('names, texts and details of others can do no harm', async (t) => {
  const evil = '\u001b[31mx\r\n* WARNING\u202e\u2028';
  const harmful =
    // eslint-disable-next-line no-control-regex -- finding control characters is the purpose
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/;
  const hostile = (row: Item): Item =>
    row.type === 'message' ? { ...row, from: evil, text: evil } : { ...row, name: evil, detail: evil };
  const items = [said, ...Object.keys(notices).map((kind) => about(kind as RoomNoticeKind, ''))].map((row) => ({
    ...hostile(row),
    room: evil,
  }));
  for (const item of items)
    for (const columns of [undefined, 40]) {
      const shown = itemLine(item, columns);
      t.notMatch(shown, harmful);
      for (const row of shown.split('\n').slice(1)) t.match(row, /^ {8}/, 'no line of its own');
      if (item.type === 'notice') t.equal(shown.split('\n').length, 1);
    }
  const trouble = { code: 'x', message: evil, hint: evil, exit: 1 } as const;
  for (const standing of ['member', 'invited', 'offered'] as const) {
    const line = roomLine({ ...garden, standing, name: evil, by: evil, until: 1, trouble }, 0);
    t.notMatch(line, harmful);
    t.equal(line.split('\n').length, 1);
  }
  const member: MemberView = {
    name: evil,
    you: false,
    role: 'invited',
    verified: true,
    fingerprint: evil,
    inviter: evil,
  };
  const client = new FakeClient({
    rooms: () => ({ rooms: [{ ...garden, name: evil, by: evil }] }),
    'room-members': () => ({ members: [member] }),
    'room-create': () => ({ ...garden, name: evil, password: evil }),
    'room-join': () => ({ ...garden, name: evil, by: evil }),
    'room-owner': () => ({ ...garden, trouble }),
    send: () => ({ id: 'ab', to: `#${evil}`, state: 'waiting', trouble }),
    unread: () => ({ items: [], more: false }),
  });
  const face = await faceOf(t, client);
  for (const line of ['list', 'members garden', 'create garden', 'join garden', 'owner garden bobby', 'send garden x'])
    for (const options of [[], ['--json']]) {
      const { out, err } = await face.run([...options, 'room', ...line.split(' ')]);
      t.notMatch(out.replaceAll('\n', ''), harmful, line);
      t.notMatch(err.replaceAll('\n', ''), harmful, line);
      t.notMatch(out, /^\* WARNING/m, line);
    }
});
