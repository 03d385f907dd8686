// npm run build: compiles, and links the client of network dev that bin/cadenas runs.
import { cadenasKeys, compile, ensureInstalled, fail, keysExist, linkDevClient, PROGRAMS } from './lib.mjs';

if (!keysExist()) fail('there are no keys of network dev yet; run: npm run keys');
await ensureInstalled();
await compile(...PROGRAMS);
await cadenasKeys(...linkDevClient);
