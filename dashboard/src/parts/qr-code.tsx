import { encode } from "uqr";
import styles from "./second-factor.module.css";

interface QrCodeProps {
  text: string;
  /** What it holds, for those who do not see it. */
  label: string;
}

/** A text as a square for cameras: one path of unit squares, so that no style stands in the markup. */
export function QrCode({ text, label }: QrCodeProps) {
  const { data, size } = encode(text, { ecc: "M", border: 0 });
  const squares = data.flatMap((row, y) =>
    row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])),
  );
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      className={styles.qr}
      shapeRendering="crispEdges"
      role="img"
      aria-label={label}
    >
      <path d={squares.join("")} fill="currentColor" />
    </svg>
  );
}
