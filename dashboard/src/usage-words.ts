import { counted, formatCount } from "./counts.ts";
import { bucketName } from "./usage-range.ts";
import type { Chart, Total } from "./usage-series.ts";

/** What a chart shows, in two sentences, for those who do not see it. */
export function summaryOf(chart: Chart, { accepted, refused }: Total, span: string): string {
  const all = accepted + refused;
  if (all === 0) return `No verifications in ${span}.`;
  const sentence = `${counted(all, "verification")} in ${span}: ${formatCount(accepted)} accepted, ${formatCount(refused)} refused.`;
  const [busiest] = chart.points
    .map(({ atMs, counts }) => ({ atMs, count: sum(counts) }))
    .toSorted((a, b) => b.count - a.count);
  if (busiest === undefined) return sentence;
  const { granularity } = chart;
  return `${sentence} Busiest ${granularity}: ${bucketName(busiest.atMs, granularity)}, with ${formatCount(busiest.count)}.`;
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, one) => all + one, 0);
