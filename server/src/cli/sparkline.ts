const BARS = "▁▂▃▄▅▆▇█";

/**
 * Numbers as one line of bars; nothing is a blank, and the highest of all the highest bar.
 *
 * @param columns Where there are more numbers than columns, neighbours are added up.
 */
export function sparkline(counts: readonly number[], columns: number): string {
  const each = Math.max(1, Math.ceil(counts.length / Math.max(1, columns)));
  const sums: number[] = [];
  for (let at = 0; at < counts.length; at += each)
    sums.push(counts.slice(at, at + each).reduce((sum, count) => sum + count, 0));
  const highest = Math.max(...sums);
  return sums
    .map((sum) => (sum <= 0 ? " " : BARS[Math.ceil((sum / highest) * BARS.length) - 1]))
    .join("");
}
