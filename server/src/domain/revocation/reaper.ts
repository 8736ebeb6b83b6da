import { RATE_ALLOWANCE } from "@latchkey/sdk/core";
import type { Ambient } from "../../ambient.ts";
import type { LeaseStore } from "../../store/store.ts";
import type { Node } from "./node.ts";

export interface ReaperOptions {
  readonly leases: LeaseStore;
  readonly node: Pick<Node, "appliedSeq">;
  readonly ambient: Ambient;
}

/** Looks for the rows of dead nodes, and deletes them: see {@link createReaper}. */
export interface Reaper {
  /** Reads the rows once and deletes those whose lease has certainly lapsed. A failed or stale read starts anew. */
  observe(): Promise<void>;
}

/**
 * Deletes rows that were not renewed for a whole lease, as this process saw it, so that a dead node delays one
 * revocation, once. It counts from after its own first reading, late by the allowance, and deletes only while the row
 * is still the one it saw.
 */
export function createReaper({ leases, node, ambient }: ReaperOptions): Reaper {
  const watched = new Map<string, { renewals: number; sinceMs: number }>();

  async function readRows(): ReturnType<LeaseStore["readNodes"]> {
    const appliedBefore = node.appliedSeq;
    const rows = await leases.readNodes();
    if (rows.seq < appliedBefore) throw new Error("the store answers from the past");
    return rows;
  }

  return {
    async observe() {
      const { nodes } = await readRows().catch((error: unknown) => {
        watched.clear();
        throw error;
      });
      const readMs = ambient.monoMs();
      const present = new Set(nodes.map((row) => row.id));
      for (const id of watched.keys()) if (!present.has(id)) watched.delete(id);
      for (const row of nodes) {
        const before = watched.get(row.id);
        if (before?.renewals !== row.renewals)
          watched.set(row.id, { renewals: row.renewals, sinceMs: readMs });
        else if (readMs - before.sinceMs >= row.leaseMs * (1 + RATE_ALLOWANCE))
          await leases.reapNode(row.id, row.renewals);
      }
    },
  };
}
