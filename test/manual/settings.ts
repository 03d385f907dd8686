/** What a schema of settings knows, for its page. */
import { everySetting, measure, variableOf, type Schema } from '../../src/settings/index.js';
import { subsection, tagged, told } from './roff.js';

/** A part for each table. @param prefix of variables of the environment. @param reloads the program can read its file anew */
export function settingList(schema: Schema, prefix: string, reloads: boolean): string {
  const all = everySetting(schema);
  return Object.keys(schema)
    .map((table) =>
      subsection(
        `[${table}]`,
        ...all
          .filter((each) => each.table === table)
          .map(({ key, setting }) => {
            const { what, value, otherwise, flags = [], atStart } = setting;
            const fallback = value === undefined ? (otherwise ?? 'nothing') : setting.write(value);
            const options = flags.map(({ syntax }) => syntax);
            if (table === 'limits') options.push(`--limit ${key}=NUMBER`);
            const facts = [
              `Value: ${measure(setting)}.`,
              `Default: ${fallback}.`,
              ...(options.length > 0 ? [`Option: ${options.join(', ')}.`] : []),
              `Variable: ${variableOf(prefix, table, key)}.`,
              ...(reloads ? [atStart ? 'Counts from the next start on.' : 'Counts after a reload.'] : []),
            ];
            return [tagged(key, told(`${upper(what)}.`)), ...facts.flatMap((fact) => ['.br', told(fact)])].join('\n');
          }),
      ),
    )
    .join('\n');
}

const upper = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
