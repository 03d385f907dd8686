/** Events from the daemon, one after another: effect, sync, acknowledgement. */
import {
  Code,
  decode,
  peekFrameId,
  readHeader,
  samePublic,
  structs,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { Acks } from './acks.js';
import type { Desk } from './desk.js';
import { error, type ClientError } from './errors.js';
import type { Inbox } from './inbox.js';
import type { KeyChanges } from './key-changes.js';
import type { Link } from './link.js';
import type { Outbox } from './outbox.js';
import type { People } from './people.js';
import type { Event } from './reducer.js';
import type { Rooms } from './rooms/rooms.js';

/** Events that wait for their turn; the daemon is not read beyond this many. */
const BACKLOG_MAX = 1024;

export interface DeliveryParts {
  readonly desk: Desk;
  readonly people: People;
  readonly keyChanges: KeyChanges;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly rooms: Rooms;
  /** the daemon said why it will close */
  readonly farewell: (why: ClientError) => void;
  /** the queue of the login is delivered, and on our disk */
  readonly drained: () => void;
}

export class Deliveries {
  readonly #parts: DeliveryParts;
  readonly #acks = new Acks();
  #backlog = 0;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  take(link: Link, struct: Uint8Array, opcode: number): void {
    const { desk } = this.#parts;
    if (opcode === structs.clos.opcode) {
      /* At once: the connection ends right behind it, and whether to come back depends on this. */
      this.#parts.farewell(goodbye(readHeader(structs.clos, struct).code, this.#parts.desk.me.name));
      return;
    }
    if (++this.#backlog === BACKLOG_MAX) link.pause();
    desk.background(
      desk.inTurn(async () => {
        await this.#handle(link, struct, opcode);
        if (this.#backlog-- === BACKLOG_MAX) link.resume();
      }),
    );
  }

  async #handle(link: Link, bytes: Uint8Array, opcode: number): Promise<void> {
    const { desk, people, keyChanges, inbox, outbox, rooms } = this.#parts;
    switch (opcode) {
      case structs.rvum.opcode:
        return this.#keep(link, bytes, await inbox.onMessage(values(structs.rvum, bytes).envelope));
      case structs.dlvd.opcode:
        return this.#keep(link, bytes, outbox.onDelivered(values(structs.dlvd, bytes).message));
      case structs.rjmp.opcode:
        return this.#keep(link, bytes, await people.onRequest(values(structs.rjmp, bytes)));
      case structs.ramp.opcode:
        return this.#keep(link, bytes, await people.onAcceptance(values(structs.ramp, bytes)));
      case structs.rdmp.opcode:
        return this.#keep(link, bytes, people.onDecline(values(structs.rdmp, bytes)));
      case structs.chky.opcode:
        return this.#keep(link, bytes, await keyChanges.onChange(values(structs.chky, bytes)));
      case structs.rvrm.opcode:
        return this.#keep(link, bytes, await rooms.said.onMessage(values(structs.rvrm, bytes)));
      case structs.enrm.opcode:
        return this.#keep(link, bytes, await rooms.changes.onEntered(values(structs.enrm, bytes)));
      case structs.lfrm.opcode:
        return this.#keep(link, bytes, await rooms.changes.onLeft(values(structs.lfrm, bytes)));
      case structs.chrm.opcode:
        return this.#keep(link, bytes, await rooms.changes.onChanged(values(structs.chrm, bytes)));
      case structs.ivrm.opcode:
        return this.#keep(link, bytes, await rooms.changes.onInvited(values(structs.ivrm, bytes)));
      case structs.ofrm.opcode:
        return desk.record(...rooms.changes.onOffered(values(structs.ofrm, bytes)));
      case structs.cnnt.opcode: {
        const { uid, name } = values(structs.cnnt, bytes);
        const ours = samePublic(uid, desk.me.uid) && name === desk.me.name;
        if (!ours) link.fail(error('protocol', 'cnnt of another'));
        return;
      }
      case structs.drnd.opcode:
        await desk.journal.synced();
        this.#parts.drained();
        return;
      default:
        desk.ports.log(`event ${String(opcode)} is not of this client`);
    }
  }

  /** Acknowledged when synced; what had no effect was a duplicate and is acknowledged too. */
  #keep(link: Link, bytes: Uint8Array, events: readonly Event[]): void {
    const { desk } = this.#parts;
    const id = peekFrameId(bytes);
    desk.background(
      desk.record(...events).then(() => {
        this.#acks.add(link, id);
      }),
    );
  }

  /** Before a clean end. */
  flush(): void {
    this.#acks.flush();
  }
}

/** The link checked the struct already: reading can't fail. */
function values<S extends Struct>(struct: S, bytes: Uint8Array): Values<S> {
  const decoded = decode(struct, bytes);
  if (decoded.problem) throw error('protocol', struct.name);
  return decoded.values;
}

function goodbye(code: Code, name: string): ClientError {
  switch (code) {
    case Code.conflict:
      return error('taken-over');
    case Code.authentication:
      return error('session-over');
    case Code.forbidden:
      return error('disabled', name);
    default:
      return error('stopping');
  }
}
