/** add, accept, decline, block, contacts, send, receive, history, receipts. */
import { TEXT_MAX } from '../../../protocol/index.js';
import { error, Exit, type Client, type ClientEvent, type RelationView } from '../../client/index.js';
import { contactLine, marks } from '../wording/people.js';
import { historyLine, itemLine } from './lines.js';
import { plainLine } from '../../plain/plain.js';
import { connectCore } from './codes.js';
import { mistake, toClientError } from './failure.js';
import { roomField } from './room-names.js';
import { secretsOf, tell, withClient, type Run } from './run.js';

/** Longest text read from standard input, in bytes: far over what a message takes, so that the error can name its length. */
const STDIN_MAX = 1024 * 1024;

/** What only a person can mend, with a code. */
const CODES: ReadonlySet<string> = new Set(['code-needed', 'mail-code-needed', 'wrong-code', 'bad-code']);

const relationText = {
  add: (view: RelationView) =>
    view.relation === 'open'
      ? `@${view.name} and you can talk`
      : `asked @${view.name}; what you send waits until they accept`,
  accept: (view: RelationView) => `accepted @${view.name}: you can talk now`,
  decline: (view: RelationView) => `declined @${view.name}`,
  block: (view: RelationView) => `blocked @${view.name}`,
} as const;

export function relate(run: Run, command: keyof typeof relationText, name: string): Promise<Exit> {
  return withClient(run, 'wanted', async (client) => {
    const view = await client.call(command, { name });
    const { relation, pending } = view;
    await run.output.print({ type: 'relation', name: view.name, relation, pending }, relationText[command](view));
    return tell(run, view.trouble, 'kept for later: ');
  });
}

export function contacts(run: Run, check: boolean): Promise<Exit> {
  return withClient(run, check ? 'needed' : 'none', async (client) => {
    const stop = client.on((event) => {
      if (event.type === 'limited' && event.of === 'look-ups' && !run.output.json)
        run.output.note(`the daemon limits look-ups: going on in ${String(event.wait)} s`);
    });
    const { contacts: all } = await client.call('contacts', { check }).finally(stop);
    for (const contact of all) await run.output.print({ type: 'contact', ...contact }, contactLine(contact));
    if (all.length === 0) await run.output.say('nobody yet: cadenas add @somebody');
    const wrong = all.find((contact) => contact.check === 'different');
    return wrong ? tell(run, error('changed', wrong.name).trouble) : Exit.done;
  });
}

async function standardInput(run: Run): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of run.host.stdin) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > STDIN_MAX)
      throw mistake('text-long', 'the text is over 1 MiB', `the limit is ${String(TEXT_MAX)} bytes a message`);
    chunks.push(bytes);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    throw error('text-invalid'); // a fatal decoder throws for nothing else
  }
  return text.replace(/\r?\n$/, '');
}

export async function send(run: Run, to: string, given: string): Promise<Exit> {
  const text = given === '-' ? await standardInput(run) : given;
  return withClient(run, 'wanted', async (client) => {
    const sent = await client.call('send', { to, text });
    const { id, state, trouble } = sent;
    await run.output.print(
      { type: 'sent', id, to: sent.to, ...roomField(sent.to), state },
      `${id} ${state} ${marks[state]}`,
    );
    return tell(run, trouble, state === 'waiting' ? 'kept in the outbox: ' : '');
  });
}

/** Prints what is unread, oldest first; each page is marked read once the output took it. How much it was. */
async function printUnread(run: Run, client: Client): Promise<number> {
  for (let printed = 0; ;) {
    const { items, more } = await client.call('unread', {});
    for (const item of items) {
      const { key: _key, order: _order, ...row } = item;
      const line = itemLine(item, run.output.columns);
      await run.output.print(row, item.type === 'notice' ? run.output.named(line) : line);
    }
    if (items.length > 0) await client.call('read', { keys: items.map((item) => item.key) });
    printed += items.length;
    if (!more) return printed;
  }
}

export function receive(run: Run, follow: boolean, timeout: number | undefined): Promise<Exit> {
  if (follow) return followUnread(run, timeout);
  return withClient(run, 'wanted', async (client, offline) => {
    const printed = await printUnread(run, client);
    if (printed === 0 && !offline && !run.output.json) run.output.note('nothing new');
    return tell(run, offline?.trouble);
  });
}

async function followUnread(run: Run, timeout: number | undefined): Promise<Exit> {
  const opened = await run.profile.open(secretsOf(run), true);
  try {
    const { client } = opened;
    return await new Promise<Exit>((resolve, reject) => {
      let printing: Promise<unknown> = Promise.resolve();
      const timer = timeout === undefined ? undefined : setTimeout(finish, timeout * 1000, undefined);
      function finish(event: ClientEvent | undefined): void {
        clearTimeout(timer);
        stop();
        run.host.signal.removeEventListener('abort', aborted);
        const last = printing.then(() => (event?.type === 'ended' ? tell(run, event.trouble) : Exit.done));
        last.then(resolve, reject);
      }
      const aborted = (): void => {
        finish(undefined);
      };
      const inTurn = (work: () => Promise<unknown>): void => {
        printing = printing.then(work);
        printing.catch((thrown: unknown) => {
          reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        });
      };
      let told = ''; // the same trouble of attempt after attempt is told once
      const stop = client.on((event) => {
        if (event.type === 'ended') finish(event);
        else if (event.type === 'unread') inTurn(() => printUnread(run, client));
        else if (isTold(event)) {
          const news = event.type === 'session' ? `${event.state} ${event.trouble?.code ?? ''}` : undefined;
          if (news === undefined || news !== told) inTurn(() => printEvent(run, event));
          told = news ?? told;
        }
      });
      run.host.signal.addEventListener('abort', aborted, { once: true });
      inTurn(() => printUnread(run, client));
      if (!opened.core)
        inTurn(async () => {
          const { session, trouble } = await client.call('status', {});
          await printEvent(run, { type: 'session', state: session, ...(trouble ? { trouble } : {}) });
        });
      if (opened.core)
        connectCore(run, opened.core).catch((thrown: unknown) => {
          /* The session event tells all else, and it is tried again. */
          const { trouble } = toClientError(thrown);
          if (CODES.has(trouble.code)) finish({ type: 'ended', trouble });
        });
    });
  } finally {
    await opened.close();
  }
}

const limitedText = 'the daemon limits how fast you send: what waits in the outbox goes by itself';

type Told = Extract<ClientEvent, { type: 'sent' | 'limited' | 'session' }>;

/** Other events are news of what is printed by `unread`, or of nothing that is printed here. */
function isTold(event: ClientEvent): event is Told {
  return event.type === 'sent' || event.type === 'limited' || event.type === 'session';
}

async function printEvent(run: Run, event: Told): Promise<void> {
  if (event.type === 'sent') {
    const { id, to, state } = event;
    const room = roomField(to);
    const whom = plainLine(room.room === undefined ? `@${to}` : to);
    await run.output.print({ type: 'delivery', id, to, ...room, state }, `${marks[state]} ${whom} ${id} ${state}`);
    return;
  }
  if (event.type === 'limited') {
    const { of, wait } = event;
    if (run.output.json) await run.output.print({ type: 'limited', of, wait }, '');
    else if (of === 'messages') run.output.note(limitedText);
    return;
  }
  const { state, trouble } = event;
  if (run.output.json)
    await run.output.print({ type: 'session', state, ...(trouble ? { code: trouble.code } : {}) }, '');
  else if (trouble && state === 'waiting') run.output.note(`${trouble.message} — trying again`);
  else if (state === 'online') run.output.note('connected — end with Ctrl-C');
}

export function history(run: Run, name: string): Promise<Exit> {
  return withClient(run, 'none', async (client) => {
    for (let after = 0; ;) {
      const { lines, more } = await client.call('history', { name, after });
      for (const line of lines) {
        const { key: _key, order: _order, type, ...row } = { key: '', ...line };
        const room = line.type === 'out' ? roomField(line.to) : {};
        const printed = { type: 'line', direction: type, ...row, ...room };
        await run.output.print(printed, historyLine(line, run.output.columns));
      }
      const keys = lines.flatMap((line) => (line.type === 'in' ? [line.key] : []));
      if (keys.length > 0) await client.call('read', { keys });
      after = lines.at(-1)?.order ?? after;
      if (!more) return Exit.done;
    }
  });
}

/** @param chosen `on`, `off`, or nothing where a person only asks */
export function receipts(run: Run, chosen: string): Promise<Exit> {
  if (!['', 'on', 'off'].includes(chosen)) throw mistake('usage', 'receipts are on or off', 'say on, off, or neither');
  return withClient(run, 'none', async (client) => {
    const { on } = await client.call('receipts', chosen === '' ? {} : { on: chosen === 'on' });
    const line = on ? 'on: contacts are told what you have read' : 'off: nobody is told what you have read';
    await run.output.print({ type: 'receipts', on }, line);
    return Exit.done;
  });
}
