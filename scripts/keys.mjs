// npm run keys [-- --network NAME …]: compiles, then cadenas-keys build.
import { cadenasKeys, compile, DEV, ensureInstalled, PROGRAMS } from './lib.mjs';

const args = process.argv.slice(2);
const named = args.some((arg) => arg === '--network' || arg.startsWith('--network='));
await ensureInstalled();
await compile(...PROGRAMS);
await cadenasKeys('build', ...(named ? [] : ['--network', DEV]), ...args);
