import styles from "./usage-figure.module.css";

/** Lines or dots on the plain colour, for each look from the second on; a tile is 8 by 8. */
const marks = [
  null,
  "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4",
  "M2,2 h2 v2 h-2 z M6,6 h2 v2 h-2 z",
  "M-2,6 l4,4 M0,0 l8,8 M6,-2 l4,4",
  "M0,2 h8 M0,6 h8",
  "M2,0 v8 M6,0 v8",
  "M0,4 h8 M4,0 v8",
  "M0,0 l8,8 M0,8 l8,-8",
  null,
];

/** What fills a series of this look, for the `fill` of a shape; needs {@link Patterns} somewhere on the page. */
export const fillOf = (look: number): string => `url(#series-${look})`;

/** The fills of all looks: each a colour with a pattern of its own, so that no colour has to be told from another. */
export function Patterns() {
  return (
    <svg width={0} height={0} className={styles.patterns} aria-hidden="true">
      <defs>
        {marks.map((mark, index) => {
          const look = index + 1;
          return (
            <pattern
              key={look}
              id={`series-${look}`}
              width={8}
              height={8}
              patternUnits="userSpaceOnUse"
            >
              <rect width={8} height={8} fill={`var(--series-${look})`} />
              {mark === null ? null : <path d={mark} className={styles.mark} />}
            </pattern>
          );
        })}
      </defs>
    </svg>
  );
}

/** A small field in the look of a series, beside its name. */
export function Swatch({ look }: { look: number }) {
  return (
    <svg width={14} height={14} className={styles.swatch} aria-hidden="true">
      <rect width={14} height={14} rx={3} fill={fillOf(look)} />
    </svg>
  );
}
