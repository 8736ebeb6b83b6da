import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { VerificationStatus } from "../domain/verification.ts";

/** What is told about this process to those who watch it; nothing in it names a token, a key or an account. */
export interface Metrics {
  /** Media type of {@link Metrics.text}. */
  readonly contentType: string;
  /** Everything as it is now, in Prometheus' text format. */
  text(): Promise<string>;
  /** Counts a revocation whose barrier this process saw end. */
  onRevocation(receipt: { readonly tookMs: number; readonly lapsed: number }): void;
  /** Counts a verification that was timed. */
  onVerification(seconds: number): void;
}

export interface MetricsOptions {
  /** Read anew at each {@link Metrics.text}. */
  status(): VerificationStatus;
  /** Of this build. */
  readonly version: string;
}

/**
 * Upper bounds of a barrier's duration: milliseconds while every node answers; 11, 31 and 61 s end just after leases of
 * 10, 30 and 60 s were waited out.
 */
const REVOCATION_SECONDS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 11, 31, 61,
];

/** Upper bounds of a verification's duration: from memory in microseconds, from the store in milliseconds. */
const VERIFICATION_SECONDS = [
  0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_05, 0.000_1, 0.001, 0.005, 0.02, 0.1, 0.5, 2,
];

/**
 * The metrics of this process, in a registry of their own: what the verification counts itself is read when somebody
 * asks, so the hot path pays nothing for it.
 */
export function createMetrics({ status, version }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "latchkey_build_info",
    help: "1, with the version of this build.",
    labelNames: ["version"],
    registers,
  }).set({ version }, 1);
  addVerification(registry, status);
  const revocationSeconds = new Histogram({
    name: "latchkey_revocation_seconds",
    help: "Time from the commit of a revocation until it was refused everywhere.",
    buckets: REVOCATION_SECONDS,
    registers,
  });
  const verificationSeconds = new Histogram({
    name: "latchkey_verification_seconds",
    help: "Time of a verification until its verdict, of one in 64.",
    buckets: VERIFICATION_SECONDS,
    registers,
  });
  const lapsedNodes = new Counter({
    name: "latchkey_lapsed_nodes_total",
    help: "Nodes, and verifiers below them, that did not confirm a revocation and were waited out.",
    registers,
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    onRevocation({ tookMs, lapsed }) {
      revocationSeconds.observe(tookMs / 1000);
      lapsedNodes.inc(lapsed);
    },
    onVerification: (seconds) => verificationSeconds.observe(seconds),
  };
}

/** The lease, the changes and the look-ups of this node. */
function addVerification(registry: Registry, status: () => VerificationStatus): void {
  const now = (name: string, help: string, read: (of: VerificationStatus) => number): void => {
    gauge(registry, name, help, () => read(status()));
  };
  now(
    "latchkey_lease_remaining_seconds",
    "How long this node may still believe what it holds; 0 without a lease.",
    (of) => of.leaseRemainingMs / 1000,
  );
  total(registry, "latchkey_lease_renewals_total", "Renewals of the lease.", () => {
    const { renewals, renewalsFailed } = status();
    return { ok: renewals, failed: renewalsFailed };
  });
  total(
    registry,
    "latchkey_node_joins_total",
    "Times this process joined: once at its start, again after its row or its place in the change log was gone.",
    () => status().joins,
  );
  now(
    "latchkey_changes_behind",
    "Changes that the store has and this node has not applied, as it last saw.",
    (of) => Math.max(0, of.headSeq - of.appliedSeq),
  );
  now("latchkey_keys_held", "Keys held in memory.", (of) => of.keysHeld);
  now("latchkey_unknown_held", "Digests held that no key has.", (of) => of.unknownHeld);
  total(
    registry,
    "latchkey_lookups_total",
    "Look-ups of a digest: answered from memory, or not.",
    () => {
      const { hits, misses } = status();
      return { hit: hits, miss: misses };
    },
  );
  total(
    registry,
    "latchkey_queries_total",
    "Queries to the store for what was not in memory.",
    () => {
      const { queriesAnswered, queriesFailed } = status();
      return { ok: queriesAnswered, failed: queriesFailed };
    },
  );
  total(
    registry,
    "latchkey_verifications_total",
    "Verifications decided in this process, by outcome; those of apps are not among them.",
    () => {
      const { type, environment, ...named } = status().verdicts;
      return { ...named, incorrect_token_type: type, environment_mismatch: environment };
    },
  );
  total(
    registry,
    "latchkey_usage_lost_total",
    "Verifications that are in no count, for the store was away for too long.",
    () => status().verdictsLost,
  );
  now(
    "latchkey_verifiers_below",
    "Verifiers of other processes connected to this node.",
    (of) => of.below,
  );
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/** A counter that somebody else keeps: the whole number, or one for each outcome. */
function total(
  registry: Registry,
  name: string,
  help: string,
  read: () => number | Readonly<Record<string, number>>,
): void {
  new Counter({
    name,
    help,
    labelNames: ["outcome"],
    registers: [registry],
    collect() {
      const counted = read();
      this.reset();
      if (typeof counted === "number") this.inc(counted);
      else for (const [outcome, count] of Object.entries(counted)) this.inc({ outcome }, count);
    },
  });
}
