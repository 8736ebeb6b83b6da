import { setTimeout as pause } from "node:timers/promises";
import { openPostgres, type PostgresOptions } from "./postgres.ts";
import { none, type Revival, revive, STAND_IN, unseen } from "./restore.ts";
import type { RestoreRecord } from "./restore-record.ts";
import type { NodeRow } from "./store.ts";

/** Nodes renew their leases in the database: they serve it as it is, and must be stopped first. Nothing was changed. */
export class NodesAlive extends Error {
  readonly labels: readonly string[];

  constructor(labels: readonly string[]) {
    super(`${labels.length} nodes renew their leases`);
    this.labels = labels;
  }
}

/** A node renews every third of its lease. One that is late in doing so is given half as much again. */
const WATCH_PART = 1 / 2;

export interface PostgresRestoreOptions extends PostgresOptions {
  readonly url: string;
  readonly exported: { readonly seqMax: number; read(): AsyncIterable<RestoreRecord> } | null;
  readonly sortableId: (prefix: string) => string;
  /** Told how long the rows of nodes are watched, when there are any. */
  onWatch?(ms: number): void;
}

/**
 * Makes a Postgres database that was brought back to an earlier time one that revives nothing, in one transaction: see
 * {@link revive}. Nothing of the time that was lost can be read in it, so whatever may have been granted then is waited
 * for as long as the longest lease there is.
 *
 * A node that joins meanwhile finds a gap in the log of changes when it next reads it, and begins anew.
 *
 * @throws NodesAlive, and what {@link openPostgres} throws.
 */
export async function restorePostgres(options: PostgresRestoreOptions): Promise<Revival> {
  const { store, db } = await openPostgres(options.url, options);
  try {
    const rows = (await store.leases.readNodes()).nodes;
    const nodes = rows.filter(({ id }) => !id.startsWith(STAND_IN));
    if (nodes.length > 0) {
      const watchMs = Math.max(...nodes.map(({ leaseMs }) => leaseMs)) * WATCH_PART;
      options.onWatch?.(watchMs);
      await pause(watchMs);
      const alive = (await store.leases.readNodes()).nodes.filter((node) => hasMoved(node, rows));
      if (alive.length > 0) throw new NodesAlive(alive.map(({ label }) => label));
    }
    return await revive(db, {
      seqBefore: options.exported?.seqMax ?? 0,
      leases: null,
      records: unseen(options.exported?.read() ?? none(), null),
      sortableId: options.sortableId,
    });
  } finally {
    await store.close();
  }
}

function hasMoved(node: NodeRow, before: readonly NodeRow[]): boolean {
  return before.find(({ id }) => id === node.id)?.renewals !== node.renewals;
}
