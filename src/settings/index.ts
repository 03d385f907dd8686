/** Settings: one schema for the file, the environment, the command line, and what is written about them. */
export { defaultFile, differences, measure, settledFile, settledRows } from './document.js';
export { addFlags, saidOn } from './flags.js';
export { hostPort, hostPortText, isHost, type HostPort } from './host-port.js';
export { SettingMistake } from './mistake.js';
export { nearest } from './nearest.js';
export { oneOf, path, text, texts, whole, yesOrNo, type Schema, type Setting, type ValuesOf } from './setting.js';
export { everySetting, settle, variableOf, type Settled, type Sources } from './settle.js';
export { addConfigOptions, sourcesOf, type Program } from './sources.js';
export { parseToml, readTomlFile } from './toml-file.js';
