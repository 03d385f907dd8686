/** Four people of one network in rooms of Alice's, at a daemon that a test may have lie. */
import { hex, type Struct, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { inside, openLab, readAll, roomOf, until, type Inside } from './room-hostile.js';
import { befriended, heard, newGuest, say, told, type Guest } from './room-lab.js';
import type { Teardown } from './temp.js';

export const PASSWORD = 'five words of the room';

/** Alice has Bob and Mallory among her contacts. */
export async function openCast(t: Teardown) {
  const lab = await openLab(t);
  const [alice, bob, carol, mallory] = (await Promise.all(
    ['alice', 'bobby', 'carol', 'mallory'].map((name) => newGuest(t, lab.host, name)),
  )) as [Guest, Guest, Guest, Guest];
  await befriended(alice, bob);
  await befriended(alice, mallory);

  function honest(): void {
    lab.drop = () => false;
    lab.asked = (_guest, _struct, _values, next) => next();
  }

  /** Alice's room with these in it; all know of all, and have read it. */
  async function roomWith(name: string, ...others: readonly Guest[]): Promise<void> {
    honest();
    await alice.core.call('room-create', { room: name, inviteOnly: false, password: PASSWORD });
    const here = [alice];
    for (const one of others) {
      await one.core.call('room-join', { room: name, password: PASSWORD });
      for (const before of here) await told(before, name, 'entered', one.name);
      here.push(one);
    }
    await readAll(alice, bob, carol, mallory);
  }

  async function epochOf(guest: Guest, name: string): Promise<number> {
    return roomOf(await inside(lab, guest), name).epoch;
  }

  /** A new epoch, begun by its owner, of which these have heard. */
  async function renewed(name: string, ...members: readonly Guest[]): Promise<void> {
    const before = await epochOf(alice, name);
    await alice.core.call('room-passwd', { room: name, password: PASSWORD });
    for (const one of members) await until(one, async () => (await epochOf(one, name)) > before);
  }

  /** The last event of this kind that went to somebody. */
  function lastTo<S extends Struct>({ uid }: Inside, struct: S): Values<S> {
    const found = lab.passed.filter(({ name, to }) => name === struct.name && to === hex(uid)).at(-1);
    if (!found) throw new Error(`no ${struct.name}`);
    return found.values;
  }

  return { lab, alice, bob, carol, mallory, honest, roomWith, renewed, epochOf, lastTo };
}

/** Both can still talk. */
export async function goesOn(name: string, a: Guest, b: Guest): Promise<void> {
  const mark = hex(nodeSync.random(4));
  await say(a, name, `from ${a.name} ${mark}`);
  await heard(b, name, `from ${a.name} ${mark}`);
  await say(b, name, `from ${b.name} ${mark}`);
  await heard(a, name, `from ${b.name} ${mark}`);
}
