import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Text, Title } from "@mantine/core";
import { formatCount, formatShare } from "../counts.ts";
import { type KeyTotal, totalOf } from "../usage-series.ts";
import { KeyLink } from "./key-cells.tsx";
import styles from "./keys.module.css";
import { type Column, Records } from "./records.tsx";

interface UsageByKeyProps {
  totals: readonly KeyTotal[];
  /** What is known of the keys by now. */
  keys: ReadonlyMap<string, ApiKeyJson>;
}

/** Which keys the verifications of a range were of, most used first. */
export function UsageByKey({ totals, keys }: UsageByKeyProps) {
  const { accepted, refused } = totalOf(totals);
  return (
    <section aria-labelledby="usage-by-key">
      <Title order={2} fz={16} mb="sm" id="usage-by-key">
        Keys
      </Title>
      <Records
        name="Usage by key"
        rows={totals}
        idOf={({ id }) => id ?? "others"}
        head={{ name: "Key", cell: ({ id }) => <Name id={id} apiKey={keys.get(id ?? "")} /> }}
        columns={columnsOf(keys, accepted + refused)}
      />
    </section>
  );
}

const columnsOf = (keys: ReadonlyMap<string, ApiKeyJson>, all: number): Column<KeyTotal>[] => [
  {
    name: "Description",
    plain: true,
    cell: ({ id }) => (
      <div className={styles.description}>{keys.get(id ?? "")?.description ?? ""}</div>
    ),
  },
  { name: "Accepted", numeric: true, cell: ({ accepted }) => formatCount(accepted) },
  { name: "Refused", numeric: true, cell: ({ refused }) => formatCount(refused) },
  {
    name: "Share",
    numeric: true,
    cell: ({ accepted, refused }) => formatShare(accepted + refused, all),
  },
];

function Name({ id, apiKey }: { id: string | null; apiKey: ApiKeyJson | undefined }) {
  if (id === null)
    return (
      <Text fz="sm" c="dimmed">
        All other keys
      </Text>
    );
  return <KeyLink id={id} hint={apiKey?.hint ?? id} />;
}
