/** Rooms at the terminal: the linked program against a real daemon. */
import { test, type Test } from 'tap';
import type { Person } from '../support/at-screen.js';
import { Guest, member, sitsDown } from '../support/at-table.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { lavishArgs } from '../support/lavish.js';

interface Lab {
  readonly bobby: Guest;
  readonly carol: Guest;
  readonly screen: Person;
}

async function owning(t: Test, { bobby, carol, screen }: Lab): Promise<void> {
  screen.says('/room create #garden');
  await screen.sees('New password of #garden');
  screen.press('enter');
  await screen.sees('note it now');
  const [, password = ''] = /the password of #garden: ((?:[a-z]+ ?){5})/.exec(screen.screen.text()) ?? [];
  t.equal(password.trim().split(' ').length, 5, 'five words were drawn');
  screen.press('space', 'x', 'esc');
  await screen.sees('Esc once more');
  t.match(screen.screen.text(), password.trim(), 'it is shown until somebody says that they have it');
  screen.press('enter');
  await screen.gone(password.trim());
  await screen.sees(/│ #garden — 1 member — owner @alice — end-to-end encrypted/);

  await bobby.core.call('room-join', { room: 'garden', password: password.trim() });
  await screen.sees('#garden — 2 members');
  screen.says('/invite @carol');
  await screen.sees('invited @carol to #garden');
  await carol.hearsNotice('invited');
  await carol.core.call('room-join', { room: 'garden' });
  await screen.sees('#garden — 3 members');
  await bobby.says('#garden', 'bees!');
  await screen.sees('@bobby: bees!');
  screen.says('and flowers');
  await carol.hears('and flowers');
  await screen.sees(/@alice: and flowers +(✓|read)/);
  screen.says('/names');
  await screen.sees('@alice (you)  owner; online');
  await screen.sees('@bobby  member; online');
  await screen.sees('@carol  member, invited by @alice; online');

  screen.says('/kick @carol');
  await screen.sees('New password of #garden');
  screen.types('a password of my own', true);
  t.notMatch(screen.screen.text(), 'of my own', 'the field is masked');
  screen.press('enter');
  await screen.sees('removed @carol from #garden');
  await screen.sees('#garden — 2 members');
  await carol.hearsNotice('you-removed');

  screen.says('/leave');
  await screen.sees('hand it over');
  await screen.sees('(/room owner #garden');
  screen.press('ctrl-c');
  screen.says('/room owner @bobby');
  await screen.sees('@bobby owns #garden now');
  await screen.sees('owner @bobby');
  screen.says('/leave');
  await screen.sees('left #garden');
  await screen.gone('│ #garden');
}

async function invited(t: Test, { bobby, screen }: Lab): Promise<void> {
  await bobby.core.call('room-create', { room: 'cellar', inviteOnly: true });
  await bobby.core.call('room-invite', { room: 'cellar', name: 'alice' });
  await screen.sees(/1\?#cellar/);
  screen.press('alt-1');
  await screen.sees('@bobby invites you to #cellar');
  screen.press('alt-n');
  await screen.sees('declined the invitation to #cellar');
  await screen.gone('?#cellar');
  await bobby.hearsNotice('invitation-declined');
  await bobby.core.call('room-invite', { room: 'cellar', name: 'alice' });
  await screen.sees(/1\?#cellar/);
  screen.press('alt-a');
  await screen.sees('@bobby invites you to #cellar');
  screen.press('alt-y');
  await screen.sees('you are in #cellar: owner @bobby, 2 members');
  await bobby.says('#cellar', 'wine');
  await screen.sees('@bobby: wine');
  screen.types('a long thought');
  await screen.sees('#cellar> a long thought');
  await bobby.core.call('room-remove', { room: 'cellar', name: 'alice' });
  await screen.gone('#cellar>');
  await screen.sees('> a long thought');
  await screen.sees('you are not in #cellar any more');
  screen.press('ctrl-c');

  await bobby.core.call('room-create', { room: 'attic', inviteOnly: false, password: 'dusty old boxes' });
  screen.says('/join #attic');
  await screen.sees('Enter #attic');
  screen.types('dusty old boxes', true);
  await screen.sees(/password: \*{15}/);
  screen.press('tab');
  await screen.sees('dusty old boxes');
  screen.press('enter');
  await screen.sees('you are in #attic: owner @bobby, 2 members');
  screen.says('/leave');
  await screen.sees('left #attic');
  screen.says('/join #attic');
  await screen.sees('Enter #attic');
  screen.types('wrong', true);
  screen.press('enter');
  await screen.sees('> /join #attic');
  t.match(screen.screen.text(), /! .*password/);
  screen.press('ctrl-c');
}

async function common(t: Test, { screen }: Lab): Promise<void> {
  screen.types('/query #pl');
  screen.press('tab');
  await screen.sees('> /query #plaza');
  screen.press('enter');
  await screen.sees('#plaza is offered to everybody here');
  t.match(screen.screen.text(), 'whoever runs the daemon can read it');
  screen.press('alt-y');
  await screen.sees('you are in #plaza');
  await screen.sees(/│ #plaza — 1 member — owner @alice — whoever runs the daemon can read it/);
}

async function deleting({ bobby, screen }: Lab): Promise<void> {
  screen.says('/room create #shed invite-only');
  await screen.sees('made #shed; next: /invite @name');
  screen.says('/invite @bobby');
  await screen.sees('invited @bobby');
  await bobby.hearsNotice('invited');
  await bobby.core.call('room-join', { room: 'shed' });
  await screen.sees('#shed — 2 members');
  screen.says('/room delete');
  await screen.sees('Delete #shed for everybody?');
  screen.types('yes');
  screen.press('enter');
  await screen.sees('type shed, or press Esc');
  screen.press('esc');
  await screen.gone('Delete #shed');
  screen.says('/room delete');
  await screen.sees('Delete #shed for everybody?');
  screen.types('shed');
  screen.press('enter');
  await screen.sees('deleted #shed');
  await bobby.hearsNotice('room-deleted');
  await screen.gone(/\d[ *!]#shed/);
}

void test('rooms at the terminal', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network, args: [...lavishArgs, '--lobby', 'plaza'] });
  const [bobby, carol] = await Promise.all(['bobby', 'carol'].map((name) => Guest.comes(t, daemon, name)));
  if (!bobby || !carol) throw new Error('nobody there');
  const alice = await member(t, daemon, 'alice', [bobby, carol]);
  const screen = await sitsDown(t, daemon, alice);
  await screen.sees('● online');
  const lab: Lab = { bobby, carol, screen };
  await t.test('one’s own', (t1) => owning(t1, lab));
  await t.test('those of others', (t1) => invited(t1, lab));
  await t.test('the common one', (t1) => common(t1, lab));
  await t.test('the end of one', () => deleting(lab));
});
