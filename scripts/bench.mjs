// Compiles, then measures. Options: BENCH_SECONDS in the environment.
import { compile, ensureInstalled, run } from './lib.mjs';

await ensureInstalled();
await compile();
await run(process.execPath, ['dist/test/bench/main.js']);
