import { RATE_ALLOWANCE } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../../ambient.ts";
import type { LeaseStore, NodeRow } from "../../store/store.ts";
import type { Node } from "./node.ts";

export interface ReaperOptions {
  readonly leases: LeaseStore;
  readonly node: Pick<Node, "appliedSeq">;
  readonly ambient: Ambient;
  readonly logger: Logger;
}

/** Looks at the rows of all nodes, and deletes those of dead ones: see {@link createReaper}. */
export interface Reaper {
  /**
   * Reads the rows once, for whoever wants them, and deletes those whose lease has certainly lapsed.
   *
   * @throws Error when they cannot be read, or the store answers from the past; then the watch starts anew.
   */
  observe(): ReturnType<LeaseStore["readNodes"]>;
}

/**
 * Deletes rows that were not renewed for a whole lease, as this process saw it, so that a dead node delays one
 * revocation, once. It counts from after its own first reading, late by the allowance, and deletes only while the row
 * is still the one it saw. Barriers read the rows through it too: the one that outlived a node sees to its row.
 */
export function createReaper({ leases, node, ambient, logger }: ReaperOptions): Reaper {
  const watched = new Map<string, { renewals: number; sinceMs: number }>();

  async function read(): ReturnType<LeaseStore["readNodes"]> {
    const appliedBefore = node.appliedSeq;
    const rows = await leases.readNodes();
    if (rows.seq < appliedBefore) throw new Error("the store answers from the past");
    return rows;
  }

  function reap(row: NodeRow): void {
    watched.delete(row.id); // should it still be there, it is watched from the start
    leases.reapNode(row.id, row.renewals).catch((error: unknown) => {
      logger.error({ err: error, node: row.id }, "a dead node's row could not be deleted");
    });
  }

  return {
    async observe() {
      const rows = await read().catch((error: unknown) => {
        watched.clear();
        throw error;
      });
      const readMs = ambient.monoMs();
      const present = new Set(rows.nodes.map((row) => row.id));
      for (const id of watched.keys()) if (!present.has(id)) watched.delete(id);
      for (const row of rows.nodes) {
        const before = watched.get(row.id);
        if (before?.renewals !== row.renewals)
          watched.set(row.id, { renewals: row.renewals, sinceMs: readMs });
        else if (readMs - before.sinceMs >= row.leaseMs * (1 + RATE_ALLOWANCE)) reap(row);
      }
      return rows;
    },
  };
}
