/** The client: commands in, events out. Portable; the machine it runs on is handed in as ports. */
import { Actions } from './actions.js';
import type { Client, ClientEvent, CommandName, Commands } from './client.js';
import { commandTable } from './commands.js';
import { ContactLane } from './contact-lane.js';
import { Deliveries } from './deliveries.js';
import type { Desk } from './desk.js';
import { asClientError, type ClientError, error } from './errors.js';
import { Expiry } from './expiry.js';
import { DELETION_FILE, type Me } from './identity.js';
import { Inbox } from './inbox.js';
import { Journal } from './journal.js';
import { KeyChanges } from './key-changes.js';
import type { Link, OnEvent } from './link.js';
import { newsOf } from './news.js';
import { Outbox } from './outbox.js';
import { OwnAccount, type Begun, type NextKeys } from './own-account.js';
import { People } from './people.js';
import type { ClientPorts } from './ports.js';
import type { Event } from './reducer.js';
import { RoomLane } from './rooms/lane.js';
import { Rooms } from './rooms/rooms.js';
import { Session } from './session.js';
import type { Noted } from './state.js';
import { Turn } from './turn.js';
import { Waiters } from './waiters.js';

/** How long `drained` waits for a login's queue. */
const DRAIN_WAIT_MS = 60_000;
/** What is under way gets this long at a clean end. */
const CLOSE_WAIT_MS = 2_000;
/** Of these a text may be to go in an hour (SPEC 7.9). */
const timed: ReadonlySet<Event['t']> = new Set(['sent', 'read', 'repinned', 'rekeyed', 'nobody', 'room']);

export class ClientCore implements Client {
  readonly #ports: ClientPorts;
  #me: Me;
  readonly #journal: Journal;
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  readonly #session: Session;
  readonly #actions: Actions;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #rooms: Rooms;
  readonly #deliveries: Deliveries;
  readonly #expiry: Expiry;
  readonly #own: OwnAccount;
  readonly #commands: ReturnType<typeof commandTable>;
  readonly #drain: Waiters<'drained'>;
  #drained = false;
  readonly #turn = new Turn();
  readonly #ownTurn = new Turn();
  #closing = false;
  #loggedOut = false;
  #ended = false;
  /** A write failed: the state in memory is not what the disk has, and is of no more use. */
  #broken: ClientError | undefined;
  readonly onEvent: OnEvent;

  private constructor(ports: ClientPorts, me: Me, journal: Journal, begun: Begun) {
    this.#ports = ports;
    this.#me = me;
    this.#journal = journal;
    this.#drain = new Waiters(ports.clock);
    journal.onBroken = (why) => {
      this.#break(why);
    };
    const desk = this.#makeDesk();
    const people = new People(desk);
    this.#expiry = new Expiry(desk);
    this.#actions = new Actions(desk, () => {
      this.#outbox.forget();
      this.#outbox.kick();
    });
    /* What came at the login is in first: it may say that keys are others, for which nothing that waits was sealed. */
    const contactLane = new ContactLane(desk, (name) => !this.#drained || this.#actions.pending(name));
    const roomLane = new RoomLane(desk, (room) => {
      this.#rooms.renewSoon(room);
    });
    this.#outbox = new Outbox(desk, contactLane, roomLane);
    this.#inbox = new Inbox(desk);
    this.#session = this.#makeSession();
    this.#own = this.#makeOwn(desk, begun);
    this.#rooms = new Rooms({
      desk,
      gaps: this.#inbox.gaps,
      link: () => this.#session.link,
      opened: (room) => {
        this.#outbox.opened(room);
      },
      gone: () => {
        this.#outbox.forget();
      },
    });
    this.#deliveries = new Deliveries({
      desk,
      people,
      keyChanges: new KeyChanges(desk, people, this.#inbox.gaps),
      inbox: this.#inbox,
      outbox: this.#outbox,
      rooms: this.#rooms,
      farewell: (why) => {
        this.#session.farewell(why);
      },
      drained: () => {
        this.#drained = true;
        this.#outbox.kick();
        this.#rooms.drained();
        this.#drain.tell('drained', 'drained');
        this.#background(this.#inbox.gaps.drained());
      },
    });
    this.onEvent = (link, struct, opcode) => {
      this.#deliveries.take(link, struct, opcode);
    };
    this.#commands = commandTable({
      desk,
      session: this.#session,
      people,
      actions: this.#actions,
      outbox: this.#outbox,
      inbox: this.#inbox,
      rooms: this.#rooms,
      own: this.#own,
      drained: () => this.#untilDrained(),
      logout: () => this.#logout(),
    });
  }

  /**
   * Opens the profile's state; what is due to go has gone when this resolves. No connection yet.
   * @param next keys that the daemon may have already
   */
  static async start(ports: ClientPorts, me: Me, next?: NextKeys): Promise<ClientCore> {
    const journal = await Journal.open(ports, me.stateKey);
    const isDeleting = (await ports.storage.read(DELETION_FILE)) !== undefined;
    const core = new ClientCore(ports, me, journal, { next, isDeleting });
    await core.#expiry.look();
    await core.#inbox.gaps.report();
    core.#inbox.gaps.watch();
    return core;
  }

  #makeDesk(): Desk {
    const me = (): Me => this.#me;
    const next = (): Me | undefined => this.#own.next;
    return {
      ports: this.#ports,
      get me() {
        return me();
      },
      get next() {
        return next();
      },
      journal: this.#journal,
      record: (...events) => this.#record(events),
      inTurn: (work) => this.#turn.take(work),
      inOwnTurn: (work) => this.#ownTurn.take(work),
      background: (work) => {
        this.#background(work);
      },
      limited: (of, wait) => {
        this.#tell({ type: 'limited', of, wait });
      },
      trouble: () => this.#session.trouble,
    };
  }

  #makeOwn(desk: Desk, begun: Begun): OwnAccount {
    const parts = {
      desk,
      gaps: this.#inbox.gaps,
      session: this.#session,
      settled: async () => {
        await this.#untilDrained();
        await this.#settle();
      },
      become: (me: Me) => {
        this.#me = me;
      },
      gone: () => {
        this.#background(this.#session.stop(false));
        this.#endSoon(error('account-gone'));
      },
    };
    return new OwnAccount(parts, begun);
  }

  #makeSession(): Session {
    const journal = this.#journal;
    return new Session({
      ports: this.#ports,
      me: () => this.#me,
      next: () => this.#own.next,
      adopt: () => this.#own.adopt(),
      unadopted: () => this.#own.unadopted(),
      grant: () => journal.state.grant.get('grant'),
      keepGrant: (grant) => this.#record([grant ? { t: 'grant', grant } : { t: 'grant' }]),
      onEvent: (link, struct, opcode) => {
        this.#deliveries.take(link, struct, opcode);
      },
      online: (link) => {
        this.#tell({ type: 'session', state: 'online' });
        this.#actions.online(link);
        this.#outbox.online(link);
        this.#background(this.#own.loggedIn());
      },
      offline: (why) => {
        this.#drained = false;
        this.#drain.dismiss();
        this.#actions.offline();
        this.#outbox.offline();
        this.#rooms.offline();
        this.#inbox.gaps.offline();
        this.#tell({ type: 'session', state: this.#session.state, trouble: why.trouble });
      },
      ended: (why) => {
        this.#end(why);
      },
    });
  }

  /**
   * Resolves when logged in, rejects with the first failure; goes on trying either way.
   * @param code proves the second factor, where the account has one
   */
  connect(ready?: Link, code?: string): Promise<void> {
    return this.#session.connect(ready, code);
  }

  async call<C extends CommandName>(command: C, args: Commands[C]['args']): Promise<Commands[C]['result']> {
    if (this.#closing) throw error('session-over');
    if (this.#broken && command !== 'logout') throw this.#broken;
    if (!Object.hasOwn(this.#commands, command)) throw error('usage', `unknown command ${command}`);
    if (typeof args !== 'object') throw error('usage', 'arguments are missing');
    return this.#commands[command](args);
  }

  on(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: ClientEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #end(why: ClientError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tell({ type: 'ended', trouble: why.trouble });
  }

  /** Nothing more is taken in or shown; the next start has what the disk has. */
  #break(why: ClientError): void {
    if (this.#closing) return;
    this.#broken = why;
    this.#ports.log(`the profile's state can't be written: ${why.message}`);
    this.#inbox.gaps.close();
    this.#background(this.#session.stop(this.#loggedOut));
    this.#endSoon(why);
  }

  /** After the answers that are due now: whoever owns the core closes it on this event. */
  #endSoon(why: ClientError): void {
    this.#ports.clock.after(0, () => {
      this.#end(why);
    });
  }

  async #record(events: readonly Event[]): Promise<void> {
    const noted: Noted[] = (this.#journal.state.noted = []);
    await this.#journal.append(...events); // applied before this waits: nothing else notes there
    for (const news of newsOf(events, noted)) this.#tell(news);
    for (const event of events) this.#after(event);
    if (events.some(({ t }) => timed.has(t))) this.#expiry.plan();
  }

  /** What follows from an event that is on the disk. */
  #after(event: Event): void {
    switch (event.t) {
      case 'opened':
      case 'repinned':
      case 'rejected':
        this.#actions.kick();
        this.#outbox.opened(event.name);
        return;
      case 'asked':
      case 'closed':
        this.#actions.kick();
        return;
      case 'sent': {
        const entry = this.#journal.state.outgoing.get(event.id);
        if (entry) this.#tell({ type: 'sent', id: entry.id, to: entry.to, state: entry.state });
        return;
      }
      case 'message':
      case 'part':
        this.#inbox.gaps.watch(event.from);
        this.#tell({ type: 'unread' });
        return;
      case 'read':
        this.#outbox.wasRead();
        return;
      case 'receipt':
        this.#inbox.gaps.watch(event.from);
        return;
      case 'room':
        this.#rooms.moved(event.room.key);
        return;
      case 'gap':
      case 'incomplete':
      case 'given-up':
      case 'notice':
        this.#tell({ type: 'unread' });
        return;
      default:
    }
  }

  #background(work: Promise<unknown>): void {
    work.catch((thrown: unknown) => {
      if (this.#closing || this.#broken) return; // what was under way at the end is repeated by the next start
      const why = asClientError(thrown, '');
      this.#ports.log(`background: ${why.code}: ${why.message}`);
      this.#end(why);
    });
  }

  async #untilDrained(): Promise<void> {
    if (this.#drained) return;
    const trouble = (): ClientError | undefined => this.#session.trouble;
    /* Whoever asks does not wait for the next try of a session that pauses. */
    if (trouble()) await this.#session.connect();
    if (this.#isDrained()) return; // it may have come with the answer to the login
    const done = await this.#drain.wait('drained', DRAIN_WAIT_MS);
    if (!done) throw trouble() ?? error('timeout', 'the login');
  }

  #isDrained(): boolean {
    return this.#drained;
  }

  async #logout(): Promise<void> {
    this.#loggedOut = true; // the daemon revokes the grant even where the disk can't forget it
    try {
      await this.#record([{ t: 'grant' }]);
      await this.#settleOutbox(); // whoever hears that the session is over finds it over
    } finally {
      this.#endSoon(error('session-over'));
    }
  }

  /** A clean end: what came is on the disk and acknowledged; after a logout, `quit` is said. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#expiry.close();
    this.#inbox.gaps.close();
    if (!this.#broken) this.#background(this.#inbox.gaps.report()); // who comes once a day is told too
    await this.#settleOutbox();
    this.#deliveries.flush();
    await this.#session.stop(this.#loggedOut);
    await this.#journal.close();
    this.#drain.dismiss();
    this.#listeners.clear();
  }

  /** What is told of what was read goes too. */
  #settleOutbox(): Promise<void> {
    if (!this.#broken) this.#outbox.close();
    return this.#settle();
  }

  /** Waits for what is under way, not for ever. */
  async #settle(): Promise<void> {
    let cancel = (): void => undefined;
    const enough = new Promise<void>((resolve) => {
      cancel = this.#ports.clock.after(CLOSE_WAIT_MS, resolve);
    });
    const quiet = this.#turn.quiet.then(() => this.#outbox.quiet()).then(() => this.#journal.synced());
    await Promise.race([quiet, enough]);
    cancel();
  }
}
