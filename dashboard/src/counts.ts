const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });

/** A count in the reader's language: "1,204". */
export const formatCount = (count: number): string => whole.format(count);

/** A count for an axis: "1.2K". */
export const formatShortCount = (count: number): string => short.format(count);

/** A part of a whole: "12.5%"; of nothing, nothing. */
export const formatShare = (part: number, total: number): string =>
  total === 0 ? "–" : percent.format(part / total);

/** A count with its noun: "1 caller", "1,204 callers". */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;
