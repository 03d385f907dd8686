/** The terminal face: a screen from its first frame to its last, over one profile. */
import { asClientError, ClientError, Exit, type Trouble } from '../../client/index.js';
import { mistake } from './commands/command.js';
import { troubleText } from './commands/typed.js';
import type { Ending, Front } from './front.js';
import { PlainScreen, type PlainHost, type Prompter } from './plain-screen.js';
import type { Door, OpenClient, TuiHost, TuiOptions } from './ports.js';
import { Screen } from './screen/screen.js';
import { Left, withCode, type Asker } from './start/asker.js';
import { firstRun } from './start/first-run.js';
import { unlock } from './start/unlock.js';
import { Talk, type Clock } from './talk/talk.js';

export type { Door, OpenClient, TuiHost, TuiOptions } from './ports.js';

const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/**
 * Takes the terminal until somebody quits, a signal ends it, or it is gone.
 * @throws ClientError where nothing more can be done; the terminal is as it was
 */
export function runTui(host: TuiHost, door: Door, options: TuiOptions): Promise<Exit> {
  return run(new Screen(host, options), door);
}

/** The same by lines that are only added. @throws ClientError */
export function runPlain(host: PlainHost, door: Door, secrets: Prompter): Promise<Exit> {
  return run(new PlainScreen(host, secrets), door);
}

async function run(front: Front, door: Door): Promise<Exit> {
  try {
    for (let said = ''; ;) {
      /* What a daemon does not answer is given up: the process ends, and the next start goes on. */
      const opened = await Promise.race([open(front, door, said), front.left]);
      if (!opened) return Exit.done;
      try {
        const ending = await converse(front, opened);
        if (ending.why === 'quit') return Exit.done;
        if (!front.canAsk) throw new ClientError(ending.trouble);
        said = troubleText(ending.trouble);
      } finally {
        await opened.close();
      }
    }
  } finally {
    front.close();
  }
}

/** undefined: nobody wants to come in. */
async function open(front: Front, door: Door, said: string): Promise<OpenClient | undefined> {
  try {
    const identity = await door.identity();
    return await (identity ? unlock(front, door, identity, said) : firstRun(front, door));
  } catch (thrown) {
    if (thrown instanceof Left || front.hasQuit) return undefined;
    throw thrown;
  }
}

async function converse(front: Front, opened: OpenClient): Promise<Ending> {
  const talk = new Talk(opened.client, front, clock);
  try {
    const trouble = await begin(talk);
    if (trouble) return { why: 'ended', trouble };
    const ending = front.converse(talk);
    void connect(front, opened).catch((thrown: unknown) => {
      front.failed(thrown instanceof Left ? notIn.trouble : asClientError(thrown, '').trouble);
    });
    return await ending;
  } finally {
    talk.close();
  }
}

const notIn = mistake('not logged in: without a code nothing is sent', '/quit, then start again');

/** Why it was over before anything could be shown: the process that owns the profile may be just about to end. */
async function begin(talk: Talk): Promise<Trouble | undefined> {
  try {
    await talk.start();
  } catch (thrown) {
    if (talk.over?.code !== 'session-over') throw thrown;
  }
  return talk.over;
}

/** What is offline is tried again by the core, and stands in the status line; a code is asked for. */
async function connect(asker: Pick<Asker, 'ask'>, opened: OpenClient): Promise<void> {
  try {
    await withCode(asker, async (code) => opened.connect?.(code));
  } catch (thrown) {
    if (!(thrown instanceof ClientError) || thrown.exit !== Exit.network) throw thrown;
  }
}
