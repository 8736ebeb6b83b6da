import { check } from "./checker.ts";
import type { Entry, Subject } from "./history.ts";

/* Lines of histories that tests of the checker make up; times are what they are about. */

export const KEY: Subject = { account: "acc_1", environment: "env_1", key: "key_1", token: null };
export const SIBLING: Subject = { ...KEY, key: "key_2" };
export const ENVIRONMENT: Subject = { ...KEY, key: null };
export const OTHER_ENVIRONMENT: Subject = { ...ENVIRONMENT, environment: "env_2" };
export const ACCOUNT: Subject = { ...ENVIRONMENT, environment: null };

/** Something that was done. */
export type Line = Exclude<Entry, { kind: "end" }>;

let lastId = 0;
export const line = (invokedMs: number, returnedMs: number) => ({
  id: ++lastId,
  client: "c",
  node: "n",
  invokedMs,
  returnedMs,
});

export const TOKEN: Subject = { account: "acc_1", environment: null, key: null, token: "tok_1" };
export const OTHER_TOKEN: Subject = { ...TOKEN, token: "tok_2" };
export const EXCHANGED: Subject = { ...KEY, key: "exchanged_1", token: "tok_1" };

export const issue = (subject: Subject, status: number | null = 201): Line => ({
  kind: "issue",
  ...line(0, 1),
  subject,
  status,
});
export const verify = (
  subject: Subject,
  invokedMs: number,
  returnedMs: number,
  status: number | null,
): Line => ({ kind: "verify", ...line(invokedMs, returnedMs), subject, status, held: null });
export const accept = (subject: Subject, invokedMs: number, returnedMs = invokedMs + 1): Line =>
  verify(subject, invokedMs, returnedMs, 200);
export const refuse = (subject: Subject, invokedMs: number, returnedMs = invokedMs + 1): Line =>
  verify(subject, invokedMs, returnedMs, 401);
export const use = (
  subject: Subject,
  invokedMs: number,
  returnedMs: number,
  status: number | null,
  node = "n",
): Line => ({
  kind: "use",
  ...line(invokedMs, returnedMs),
  node,
  subject,
  status,
  call: "/v1/whoami",
});
export const revoke = (
  subject: Subject,
  invokedMs: number,
  returnedMs: number,
  { status = 200, state = "effective", wait = true }: Partial<RevokeAnswer> = {},
): Line => ({ kind: "revoke", ...line(invokedMs, returnedMs), subject, status, wait, state });
type RevokeAnswer = Pick<Extract<Entry, { kind: "revoke" }>, "status" | "state" | "wait">;
export const read = (
  subject: Subject,
  invokedMs: number,
  returnedMs: number,
  state: "pending" | "effective" | null,
  status = 200,
): Line => ({ kind: "read", ...line(invokedMs, returnedMs), subject, status, state });

export const LOST = { status: null, state: null };
export const UNAVAILABLE = { status: 503, state: null };
export const PENDING = { status: 202, state: "pending", wait: false } as const;
export const GONE = { status: 404, state: null };

/** An account in which everything goes right: what a test adds is all there is to complain about. */
export function sound(): Line[] {
  const fine: Subject = { account: "acc_9", environment: "env_9", key: "key_9", token: null };
  const steady: Subject = { ...fine, key: "key_8" };
  return [
    issue(fine),
    issue(steady),
    accept(fine, 2),
    accept(steady, 3),
    revoke(fine, 4, 5),
    accept(fine, 4.5),
    refuse(fine, 6),
    accept(steady, 7),
  ];
}

export const whole = (lines: readonly Line[]): Entry[] => [
  ...lines,
  { kind: "end", entries: lines.length },
];

export const found = (...lines: Line[]): string[] =>
  check(whole([...sound(), ...lines])).violations.map(({ kind }) => kind);
