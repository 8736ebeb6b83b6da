import type { Downward } from "@latchkey/sdk/core";
import type { Below } from "../../src/domain/revocation/below.ts";
import type { Node } from "../../src/domain/revocation/node.ts";
import type { LeaseStore } from "../../src/store/store.ts";
import { type BarrierLeases, planted } from "./assembly.ts";
import { wrapLookup } from "./flawed-lookup.ts";
import type { Flaw } from "./world.ts";

/** The rules between servers and the apps below them, by what is done instead. */
export const FLAWS_BELOW: Readonly<Record<string, Flaw>> = {
  "a change is acknowledged before those below have": planted(() => ({
    nodeLeases: acknowledgeAtOnce,
  })),
  "a barrier counts its own node before those below have acknowledged": planted(() => ({
    node: (node) =>
      wrapNode(node, {
        self: (self) => (self === null ? null : { ...self, appliedSeq: node.appliedSeq }),
      }),
  })),
  "a barrier takes the row of its node's earlier life for its own": planted(mistakeOwnRow),
  "an app acknowledges a change before it applies it": {
    appLookup: (lookup, after) =>
      wrapLookup(lookup, { apply: (change) => void after(30, () => lookup.apply(change)) }),
  },
  "a sub-lease is counted from the answer": {
    appLookup: (lookup) =>
      wrapLookup(lookup, { grant: (_, lengthMs) => lookup.grant(lookup.clock.read(), lengthMs) }),
  },
  "an app keeps its cache across sessions": {
    appLookup: (lookup) => wrapLookup(lookup, { forget: () => {} }),
  },
  "a closed connection is taken for a release": planted(() => ({
    node: withOpen((open) => (connection, holder) => {
      const session = open(connection, holder);
      return { ...session, closed: () => session.receive({ type: "release" }) };
    }),
  })),
  "a row is released while sub-leases run": planted(releaseAtOnce),
  "sessions survive a rejoin": planted(keepSessions),
};

/** The highest seq that was read is written, whatever anybody below has said. */
function acknowledgeAtOnce(leases: LeaseStore): LeaseStore {
  let readSeq = 0;
  return {
    ...leases,
    async readChanges(...after) {
      const read = await leases.readChanges(...after);
      readSeq = read.seq;
      return read;
    },
    renewNode: (id, renewals, appliedSeq, below) =>
      leases.renewNode(id, renewals, Math.max(appliedSeq, readSeq), below),
    acknowledge: (id, appliedSeq, below) =>
      leases.acknowledge(id, Math.max(appliedSeq, readSeq), below),
  };
}

function withOpen(change: (open: Below["open"]) => Below["open"]): (node: Node) => Node {
  return (node) => wrapNode(node, { open: change(node.below.open) });
}

/** Wraps a node so that its live properties stay live. */
function wrapNode(
  node: Node,
  changed: {
    open?: Below["open"];
    self?: (self: Node["self"]) => Node["self"];
    stop?: () => Promise<void>;
  },
): Node {
  return {
    start: node.start,
    renew: node.renew,
    catchUp: node.catchUp,
    get self() {
      return changed.self === undefined ? node.self : changed.self(node.self);
    },
    onAcknowledged: node.onAcknowledged,
    get appliedSeq() {
      return node.appliedSeq;
    },
    get headSeq() {
      return node.headSeq;
    },
    counts: node.counts,
    below: {
      open: changed.open ?? node.below.open,
      get size() {
        return node.below.size;
      },
      curtailed: node.below.curtailed,
    },
    dismissBelow: node.dismissBelow,
    stop: changed.stop ?? node.stop,
  };
}

/** Rows under an id that this process had before it joined anew read as its present one. */
function mistakeOwnRow() {
  const ids: string[] = [];
  return {
    nodeLeases: (leases: LeaseStore): LeaseStore => ({
      ...leases,
      async joinNode(node) {
        const joined = await leases.joinNode(node);
        ids.push(node.id);
        return joined;
      },
    }),
    barrierLeases: (leases: BarrierLeases): BarrierLeases => ({
      ...leases,
      async readNodes() {
        const { seq, nodes } = await leases.readNodes();
        const id = ids.at(-1) ?? "";
        return { seq, nodes: nodes.map((row) => (ids.includes(row.id) ? { ...row, id } : row)) };
      },
    }),
  };
}

function releaseAtOnce() {
  let release = async (): Promise<void> => {};
  return {
    nodeLeases: (leases: LeaseStore): LeaseStore => ({
      ...leases,
      async joinNode(node) {
        release = () => leases.releaseNode(node.id);
        return leases.joinNode(node);
      },
    }),
    node: (node: Node): Node =>
      wrapNode(node, {
        async stop() {
          void release().catch(() => {});
          await node.stop();
        },
      }),
  };
}

/** When the node joins anew, its connections are not closed but counted as sessions of the new row. */
function keepSessions() {
  let joins = 0;
  const open =
    (below: Below["open"]): Below["open"] =>
    (connection, holder) => {
      let session = begin(connection.send);
      function begin(send: (frame: Downward) => void) {
        const joinsBefore = joins;
        return below(
          {
            send,
            close() {
              if (joins === joinsBefore) return connection.close();
              queueMicrotask(() => {
                session = begin((frame) => {
                  if (frame.type !== "welcome") connection.send(frame);
                });
              });
            },
          },
          holder,
        );
      }
      return {
        receive: (frame) => session.receive(frame),
        closed: () => session.closed(),
      };
    };
  return {
    nodeLeases: (leases: LeaseStore): LeaseStore => ({
      ...leases,
      async joinNode(node) {
        const joined = await leases.joinNode(node);
        joins += 1;
        return joined;
      },
    }),
    node: withOpen(open),
  };
}
