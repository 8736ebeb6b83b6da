import "@mantine/charts/styles.css";
import { BarChart } from "@mantine/charts";
import { formatCount, formatShortCount } from "../counts.ts";
import { bucketName, bucketTick } from "../usage-range.ts";
import type { Chart, Point } from "../usage-series.ts";
import { fillOf, Swatch } from "./patterns.tsx";
import styles from "./usage-figure.module.css";

/** The bars of a chart, for eyes alone: the figure around it says the same in words and numbers. */
export function Bars({ chart: { granularity, series, points }, height }: BarsProps) {
  const looks = new Map(series.map(({ id, look }) => [id, look]));
  return (
    <BarChart
      h={height}
      type="stacked"
      dataKey="atMs"
      data={points.map(({ atMs, counts }) => ({ atMs, ...counts }))}
      series={series.map(({ id, name, look }) => ({
        name: id,
        label: name,
        color: `var(--series-${look})`,
      }))}
      barProps={({ name }) => ({ fill: fillOf(looks.get(name) ?? 1) })}
      maxBarWidth={28}
      withLegend={false}
      valueFormatter={formatShortCount}
      yAxisProps={{ allowDecimals: false, width: 48 }}
      xAxisProps={{
        tickFormatter: (atMs: number) => bucketTick(atMs, granularity),
        minTickGap: 24,
      }}
      tooltipProps={{
        content: ({ label }) => {
          const point = points.find(({ atMs }) => atMs === label);
          return point === undefined ? null : (
            <Told title={bucketName(point.atMs, granularity)} series={series} point={point} />
          );
        },
      }}
      // Everything is in the table beside it; a second stop of the keyboard would only tell less.
      accessibilityLayer={false}
      barChartProps={{ barCategoryGap: "18%", margin: { top: 8, right: 8 } }}
    />
  );
}

export interface BarsProps {
  chart: Chart;
  height: number;
}

/** What the bucket under the pointer holds. */
function Told({ title, series, point }: { title: string; series: Chart["series"]; point: Point }) {
  const there = series.filter(({ id }) => (point.counts[id] ?? 0) > 0);
  return (
    <div className={styles.tooltip}>
      <strong>{title}</strong>
      <ul className={styles.legend}>
        {there.length === 0 ? <li>Nothing</li> : null}
        {there.map(({ id, name, look }) => (
          <li key={id}>
            <Swatch look={look} />
            <span className={styles.seriesName}>{name}</span>
            <strong>{formatCount(point.counts[id] ?? 0)}</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}
