/** What a terminal obeys, what turns a line round or is not seen, and halves of characters. Joiners make emoji. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?!\u200d)\p{Cf}/gu;

/** A text that somebody else chose, as a terminal may show it: on one line, with "?" for all that is more than text. */
export function printable(text: string): string {
  return text.replace(OBEYED, "?");
}

/** The same of a text that has lines: their ends stay. For what has no values that could be told from its own words. */
export function printableLines(text: string): string {
  return text.replace(/(?:(?!\r?\n)[\s\S])+/gu, printable);
}

/** A template for people: its own words stay as they are, and what is put into it is {@link printable}. */
export function shown(words: TemplateStringsArray, ...values: readonly unknown[]): string {
  return String.raw({ raw: words }, ...values.map((value) => printable(String(value))));
}

/** JSON that means the same, with escapes for what a terminal would obey; `JSON.stringify` leaves C1 and bidi as they are. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(OBEYED, (obeyed) =>
    obeyed === "\n" ? obeyed : escapedAll(obeyed),
  );
}

/** The same on one line. */
export function printableLine(value: unknown): string {
  return JSON.stringify(value).replace(OBEYED, escapedAll);
}

const escapedAll = (obeyed: string): string => obeyed.split("").map(escaped).join("");

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
