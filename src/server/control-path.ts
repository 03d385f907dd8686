/** Where the control socket is. */
import { join } from 'node:path';

/** In the folder of the network's data. */
const NAME = 'control.sock';
/** In the folder that systemd makes for the service. */
const RUNTIME_NAME = 'control';

/** @param given where it was named. @param dataFolder the network's */
export function controlPath(given: string | undefined, dataFolder: string): string {
  /* Of several, the first: systemd separates them by colons. */
  const [runtime = ''] = (process.env['RUNTIME_DIRECTORY'] ?? '').split(':');
  return given ?? (runtime === '' ? join(dataFolder, NAME) : join(runtime, RUNTIME_NAME));
}
