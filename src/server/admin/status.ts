/** `cadenasd status`: how the daemon is, once or again and again. */
import { withDaemon, type Asked } from './ask.js';
import { Exit, Speech, type ExitCode } from './common.js';
import { readStatus, statusLines } from './figures.js';
import { watch } from './watch.js';

export interface StatusOptions {
  /** seconds from one look to the next; true: as many as usual */
  readonly watch?: number | true;
}

const USUAL_SECONDS = 2;

export function runStatus(where: Asked & StatusOptions): Promise<ExitCode> {
  if (where.watch !== undefined) return watch(where, where.watch === true ? USUAL_SECONDS : where.watch);
  const speech = new Speech(where);
  return withDaemon(where, async (daemon) => {
    const status = readStatus(await daemon.ask('status'));
    speech.say('status', { ...status }, ...statusLines(status));
    return Exit.done;
  });
}
