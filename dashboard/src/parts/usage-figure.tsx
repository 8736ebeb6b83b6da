import { Button, Skeleton, Table, Text } from "@mantine/core";
import { lazy, Suspense, useId, useState } from "react";
import { formatCount } from "../counts.ts";
import { bucketName } from "../usage-range.ts";
import type { Chart } from "../usage-series.ts";
import { Patterns, Swatch } from "./patterns.tsx";
import styles from "./usage-figure.module.css";

/** Loaded with the first chart: the pages that have none do without the library that draws it. */
const Bars = lazy(async () => ({ default: (await import("./bars.tsx")).Bars }));

const heightPx = 260;

interface UsageFigureProps {
  /** What the chart is of, e.g. "Verifications by outcome". */
  name: string;
  chart: Chart;
  /** What it shows, in words. */
  summary: string;
}

/** A stacked chart with its legend, and the same in words and, when asked for, in numbers. */
export function UsageFigure({ name, chart, summary }: UsageFigureProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <figure className={styles.figure} aria-label={name} aria-describedby={id}>
      <Patterns />
      <Legend series={chart.series} />
      <div aria-hidden="true">
        <Suspense fallback={<Skeleton height={heightPx} />}>
          <Bars chart={chart} height={heightPx} />
        </Suspense>
      </div>
      <figcaption className={styles.caption}>
        <Text fz="sm" c="dimmed" id={id}>
          {summary}
        </Text>
        <Button
          size="compact-xs"
          variant="default"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open ? "Hide numbers" : "Show numbers"}
        </Button>
      </figcaption>
      {open ? <Numbers name={name} chart={chart} /> : null}
    </figure>
  );
}

function Legend({ series }: Pick<Chart, "series">) {
  return (
    <ul className={styles.legend} aria-label="Legend">
      {series.map(({ id, name, look, total }) => (
        <li key={id}>
          <Swatch look={look} />
          <span className={styles.seriesName} title={name}>
            {name}
          </span>
          <strong>{formatCount(total)}</strong>
        </li>
      ))}
    </ul>
  );
}

/** Every bucket with something in it, newest first, one line for each of its series: it fits a phone too. */
function Numbers({
  name,
  chart: { granularity, series, points },
}: Omit<UsageFigureProps, "summary">) {
  const lines = points
    .toReversed()
    .flatMap(({ atMs, counts }) =>
      series
        .map((one) => ({ atMs, ...one, count: counts[one.id] ?? 0 }))
        .filter(({ count }) => count > 0),
    );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section className={styles.numbers} aria-label={`${name} in numbers`} tabIndex={0}>
      <Table verticalSpacing={6} aria-label={`${name} in numbers`}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>From</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th ta="right">Count</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {lines.map(({ atMs, id, name: what, count }) => (
            <Table.Tr key={`${atMs} ${id}`}>
              <Table.Td>{bucketName(atMs, granularity)}</Table.Td>
              <Table.Td>{what}</Table.Td>
              <Table.Td ta="right">{formatCount(count)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
