/** Signals, taken before anything is loaded that takes its time: one that nobody has taken ends the process. */
export interface Signals {
  /** Somebody asks for the end: the signal's name. */
  readonly end: Promise<string>;
  /** Called when somebody asks for a reload; nothing happens where nobody has set it. */
  hangUp: () => void;
}

export function takeSignals(): Signals {
  const end = new Promise<string>((resolve) => {
    /* Not once: a terminal's Ctrl-C may arrive twice, and the second must not cut the stop short. */
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
    /* A terminal that is closed ends what was started in it; a service has none. */
    if (process.stdin.isTTY) process.on('SIGHUP', resolve);
  });
  const signals: Signals = { end, hangUp: () => undefined };
  if (!process.stdin.isTTY)
    process.on('SIGHUP', () => {
      signals.hangUp();
    });
  return signals;
}
