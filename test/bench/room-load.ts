/** A room of the load: people enter it, some go away, some speak. */
import { setTimeout as pause } from 'node:timers/promises';
import { encode, Opcode, peekOpcode, peekStatus, Status, structs } from '../../protocol/index.js';
import type { Person } from '../support/people.js';
import { drawMessage, entering, makeRoom, type RawRoom } from '../support/raw-rooms.js';
import { inParallel } from './at-once.js';
import { commandHeader, frames, readAll, Sender } from './sender.js';

/** Longer than the daemon waits for an acknowledgement, and for its disk. */
const QUIET_MS = 500;

/** The first makes a room, the others enter it, and all read. @returns those who speak, the first of all */
export async function meet(people: readonly Person[], name: string, speakers: number): Promise<Sender[]> {
  const [owner, ...others] = people;
  if (!owner) throw new Error('nobody to meet');
  owner.raw.fast = undefined; // they may read in another room
  const room = await makeRoom(owner, name);
  readAll(owner.raw);
  await inParallel(others.length, async (at) => {
    const person = others[at];
    if (person) await enter(person, room);
  });
  await quiet();
  return inParallel(speakers, async (at) => {
    const person = people[at];
    if (!person) throw new Error('too many speakers');
    const message = await drawMessage(person, room, 'x');
    return new Sender(person.raw, [Buffer.from(encode(structs.srms, commandHeader(Opcode.srms), message))]);
  });
}

/** Nothing is under way any more: where a queue went to the disk, it is empty again. */
async function quiet(): Promise<void> {
  for (let before = -1; before !== frames.count;) {
    before = frames.count;
    await pause(QUIET_MS);
  }
}

/** Who is in it hears at once of those who come, so reading begins before the answer is there. */
async function enter(person: Person, room: RawRoom): Promise<void> {
  const { raw } = person;
  const jrms3 = await entering(person, room);
  await new Promise<void>((resolve, reject) => {
    readAll(raw, (bytes) => {
      if (peekOpcode(bytes) !== Opcode.jrms) return;
      if (peekStatus(bytes) === Status.error) reject(new Error('jrms3: refused'));
      else resolve();
    });
    raw.send(structs.jrms3, jrms3);
  });
}

export async function leave(people: readonly Person[]): Promise<void> {
  for (const { raw } of people) {
    raw.close();
    await raw.closed;
  }
}
