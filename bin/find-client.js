// Which client `cadenas` runs. A package has none, since a client knows one network: its operator hands it out.
const { accessSync, constants, existsSync, realpathSync, statSync } = require('node:fs');
const { homedir } = require('node:os');
const { dirname, isAbsolute, join } = require('node:path');

/**
 * The one of these sources is there only where somebody linked it, to try out what they changed. It should not give way
 * to that of a network which the same person uses every day.
 */
function usualPlaces(data) {
  const own = join(data && isAbsolute(data) ? data : join(homedir(), '.local/share'), 'cadenas/cadenas.mjs');
  return [join(__dirname, '../dist/client/cadenas.mjs'), own];
}

/** Whoever can write the file, or put another in its place, could read every text. @returns what is wrong, or undefined */
function openTo(path) {
  const us = [0, process.geteuid()];
  for (const one of [path, dirname(path)]) {
    const stats = statSync(one);
    const isShared = stats.isDirectory() && (stats.mode & 0o1000) !== 0; // as /tmp is: each has their own files there
    if (!us.includes(stats.uid)) return `${one} belongs to another user — make a copy of your own of the client`;
    if ((stats.mode & 0o022) !== 0 && !isShared)
      return `others may write ${one} — compare the hash of the client, then: chmod go-w '${one}'`;
  }
  return undefined;
}

function find({ CADENAS_CLIENT: asked, XDG_DATA_HOME: data }) {
  const places = asked ? [asked] : usualPlaces(data);
  const found = places.find((place) => existsSync(place));
  if (!found && asked) return { problem: `$CADENAS_CLIENT is ${asked}, and nothing is there — mend or unset it` };
  if (!found) return { problem: `no client yet — put the one that you were given at ${places.at(-1)}` };
  const path = realpathSync(found);
  if (!path.endsWith('.mjs') || !statSync(path).isFile())
    return { problem: `${path} is not a client — it ends in .mjs` };
  accessSync(path, constants.R_OK);
  return { path, problem: openTo(path) };
}

/** @returns the path of a client; or a problem: one line that says what to do */
module.exports = function findClient(env) {
  try {
    return find(env);
  } catch (error) {
    return { problem: `the client can't be read: ${error.message}` };
  }
};
