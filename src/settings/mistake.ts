/** Something that was set wrongly and can be mended: one line, with its place. */
export class SettingMistake extends Error {
  override readonly name = 'SettingMistake';
}
