import type { Revocation } from "./api-key.ts";

/** What somebody may do in an account: domain/permissions.ts. */
export type Role = "owner" | "admin" | "member" | "support";

/** An account as the operator sees it. */
export interface Account {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly externalId: string | null;
  readonly createdAtMs: number;
  readonly suspendedAtMs: number | null;
  /** Of the suspension; `null` unless suspended. */
  readonly revocation: Revocation | null;
}

/** A person about to be stored. `passwordHash` is better-auth's; the e-mail address is lower case. */
export interface NewPerson {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly passwordHash: string;
}
