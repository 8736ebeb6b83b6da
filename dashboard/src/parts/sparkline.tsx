import { formatCount } from "../counts.ts";
import { type Total, totalOf } from "../usage-series.ts";
import styles from "./sparkline.module.css";

/** Pixels of one hour's bar with its gap, and of the highest bar. */
const stepPx = 4;
const heightPx = 20;

interface SparklineProps {
  /** Oldest hour first; `undefined` while it is not known: then only the ground is drawn. */
  hours: readonly Total[] | undefined;
}

/** A key's last 24 hours in the height of a line of text: accepted below, refused on top of them. */
export function Sparkline({ hours }: SparklineProps) {
  const width = 24 * stepPx;
  if (hours === undefined)
    return (
      <svg width={width} height={heightPx} className={styles.line} aria-hidden="true">
        <rect y={heightPx - 1} width={width} height={1} className={styles.ground} />
      </svg>
    );
  const highest = Math.max(1, ...hours.map(({ accepted, refused }) => accepted + refused));
  // What happened is seen, however little it is beside the highest bar.
  const px = (count: number): number =>
    count === 0 ? 0 : Math.max(2, Math.round((count / highest) * (heightPx - 2)));
  return (
    <svg width={width} height={heightPx} className={styles.line} role="img">
      <title>{wordsOf(totalOf(hours))}</title>
      <rect y={heightPx - 1} width={width} height={1} className={styles.ground} />
      {hours.map(({ accepted, refused }, hour) => {
        const low = px(accepted);
        const high = Math.min(px(refused), heightPx - low);
        const bar = { x: hour * stepPx, width: stepPx - 1 };
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the hour is its own place
          <g key={hour}>
            <rect {...bar} y={heightPx - low} height={low} className={styles.accepted} />
            <rect {...bar} y={heightPx - low - high} height={high} className={styles.refused} />
          </g>
        );
      })}
    </svg>
  );
}

function wordsOf({ accepted, refused }: Total): string {
  if (accepted + refused === 0) return "No use in the last 24 hours";
  return `Last 24 hours: ${formatCount(accepted)} accepted, ${formatCount(refused)} refused`;
}
