import type { RevocationJson } from "@latchkey/sdk/client";
import { formatDuration } from "./times.ts";

/** How it ended, in one line: "Refused everywhere after 14 ms: 3 of 3 verifiers confirmed". For effective ones only. */
export function confirmation({ took_ms, acknowledged, lapsed }: RevocationJson): string {
  const total = acknowledged + lapsed;
  const after = took_ms === null ? "" : ` after ${formatDuration(took_ms)}`;
  const verifiers = total === 1 ? "verifier" : "verifiers";
  return `Refused everywhere${after}: ${acknowledged} of ${total} ${verifiers} confirmed`;
}

/** Who had to be waited out: "1 did not answer; its lease ran out."; `null` when everybody confirmed. */
export function lapses({ lapsed }: RevocationJson): string | null {
  if (lapsed === 0) return null;
  return `${lapsed} did not answer; ${lapsed === 1 ? "its lease" : "their leases"} ran out.`;
}

/** Whether no verifier accepts it any more, for certain. */
export const isEffective = (revocation: RevocationJson | null | undefined): boolean =>
  revocation?.state === "effective";
