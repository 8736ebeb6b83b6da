import type { KeyRecord } from "@latchkey/sdk/core";
import type { Account, NewPerson, Role } from "./account.ts";
import type { AuditStore } from "./audit-deeds.ts";
import type { Absent, Deleted, Listed, Once, OnceOutcome, Origin, PageAsk } from "./deeds.ts";
import type { KeyStore, NewKey, OwnAccountStore } from "./key-deeds.ts";
import type { LeaseStore } from "./lease-deeds.ts";
import type { SignInLinkStore } from "./link-deeds.ts";
import type { InvitationStore, MemberStore, OpenInvitationStore } from "./member-deeds.ts";
import type { PeopleStore } from "./people-deeds.ts";
import type { AccessToken, ExchangeStore, NewAccessToken, TokenStore } from "./token-deeds.ts";
import type { RefusalFilter, Refused, SourcedBatch, UsageKept, UsageStore } from "./usage-deeds.ts";

export type { Account, NewPerson, Role } from "./account.ts";
export type { ApiKey, Revocation } from "./api-key.ts";
export type {
  AuditAction,
  AuditEvent,
  AuditFilter,
  AuditStore,
} from "./audit-deeds.ts";
export { AUDIT_ACTIONS } from "./audit-deeds.ts";
export type {
  Absent,
  Actor,
  Deleted,
  Listed,
  Once,
  OnceOutcome,
  Origin,
  PageAsk,
  PageOf,
} from "./deeds.ts";
export type {
  KeyEdit,
  KeyFilter,
  KeyStore,
  NewKey,
  OwnAccount,
  OwnAccountStore,
  Rotation,
} from "./key-deeds.ts";
export type { Change, LeaseStore, NodeRow } from "./lease-deeds.ts";
export type { Opening } from "./link-deeds.ts";
export type {
  Invitation,
  InvitationLink,
  Member,
  MemberAsk,
  Permits,
  ReplacingPerson,
} from "./member-deeds.ts";
export type { Grounds, PersonAction } from "./people-deeds.ts";
export { GroundsChanged } from "./people-deeds.ts";
export type {
  AccessToken,
  ExchangeStore,
  IssuedToken,
  NewAccessToken,
  TokenStore,
} from "./token-deeds.ts";
export type {
  Granularity,
  KeyCaller,
  RefusalFilter,
  Refused,
  SourcedBatch,
  Span,
  UsageAsk,
  UsageKept,
  UsageRow,
  UsageStore,
} from "./usage-deeds.ts";

export interface Environment {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly createdAtMs: number;
}

/** An environment about to be stored, with the keys that it starts with. */
export interface NewEnvironment {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly keys: readonly NewKey[];
}

/** Somebody's belonging to an account. */
export interface Membership {
  readonly account: Account;
  readonly role: Role;
  /** Whether the account is closed to whoever has no second factor. */
  readonly twoFactorRequired: boolean;
}

/** An account about to be stored, whole: what it starts with is written in the same transaction. */
export interface NewAccount {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly externalId: string | null;
  readonly environments: readonly NewEnvironment[];
  readonly tokens: readonly NewAccessToken[];
  readonly owner: NewPerson | { readonly id: string } | VouchedFor | null;
}

/**
 * Somebody whose address whoever runs the service named, which counts for more than a password: where nobody had proved
 * it, whatever its holder signed in with is gone.
 */
export interface VouchedFor {
  readonly id: string;
  /** Makes the ids of audit events besides the deed's own. */
  readonly nextEventId: () => string;
}

/**
 * Everything of one account, and nothing of another: what belongs elsewhere answers like what does not exist.
 * Every change writes its audit event, and its change-log entry when it alters a verdict, in one transaction.
 */
export interface AccountStore
  extends KeyStore,
    OwnAccountStore,
    UsageStore,
    ExchangeStore,
    AuditStore,
    MemberStore,
    InvitationStore {
  readonly accountId: string;
  /** Its service tokens. */
  readonly tokens: TokenStore;

  listEnvironments(page: PageAsk): Promise<Listed<Environment>>;
  /** `slug_taken` also when a deleted environment had it: slugs are never given out again. */
  createEnvironment(
    environment: NewEnvironment,
    origin: Origin,
    once: Once | null,
  ): Promise<
    { outcome: "created"; environment: Environment } | { outcome: "slug_taken" } | OnceOutcome
  >;
  findEnvironment(slugOrId: string): Promise<Environment | undefined>;
  renameEnvironment(
    slug: string,
    name: string,
    origin: Origin,
  ): Promise<{ outcome: "renamed"; environment: Environment } | { outcome: "absent" }>;
  /** Its keys refuse as revoked from now on. Another deletion finds it absent. */
  deleteEnvironment(slug: string, origin: Origin): Promise<Deleted | Absent>;
}

/** What a store throws when it could not do what was asked. */
export class StoreError extends Error {
  /** It could not be reached, or did not answer: trying again may help. Else something is wrong on our side. */
  readonly unavailable: boolean;

  constructor(message: string, unavailable: boolean) {
    super(message);
    this.unavailable = unavailable;
  }
}

/** The whole store: one implementation in Kysely, one engine each in sqlite.ts and postgres.ts. */
export interface Store extends OpenInvitationStore, SignInLinkStore, PeopleStore {
  readonly leases: LeaseStore;
  /** Confines everything to one account. */
  account(accountId: string): AccountStore;

  /** Records by digest, `null` where no key has it, in the order asked; `seq` as of the same statement. */
  loadKeys(
    digests: readonly string[],
  ): Promise<{ seq: number; keys: readonly (KeyRecord | null)[] }>;
  /**
   * Stores what processes counted: each batch whole, and once however often and by however many it is given. Those of one
   * source come in order. What tells of keys that do not exist is dropped; the last use of a key only moves forward.
   */
  recordUsage(batches: readonly SourcedBatch[], nowMs: number): Promise<void>;
  /**
   * Starts the overlaps of rotated keys that wait for the first use of their successors, where that is stored. Of
   * concurrent calls one starts each. Of very many only some are started by one call.
   *
   * @param by What the audit events tell of who does it, and the time that it is done at.
   * @param nextEventId Makes the ids of those events.
   * @returns The seqs to wait for, of keys whose end it brought forward.
   */
  startOverlaps(by: Omit<Origin, "eventId">, nextEventId: () => string): Promise<readonly number[]>;
  /** Those that belong to no account: no key was found. Newest first. */
  listUnattributedRefusals(
    filter: Pick<RefusalFilter, "reason">,
    page: PageAsk,
  ): Promise<Listed<Refused>>;
  findUnattributedRefusal(requestId: string): Promise<Refused | undefined>;

  /** A token that is deleted, or whose account is deleted, is not found; an expired one is, and its expiry tells. */
  findToken(digest: string): Promise<AccessToken | undefined>;
  recordTokenUsed(id: string, atMs: number): Promise<void>;
  /** `undefined`: no such account, deleted, or this person is no member of it. */
  findMembership(personId: string, accountSlug: string): Promise<Membership | undefined>;
  listMemberships(personId: string): Promise<readonly Membership[]>;

  /** Whether this person runs the service, as the owner does whom set-up made. */
  isOperator(personId: string): Promise<boolean>;

  // ---- the operator's
  /** Verifier and operator tokens, which belong to no account. */
  readonly operatorTokens: TokenStore;
  /** What was done to no account. */
  readonly operatorAudit: AuditStore;
  /** Accounts that are not deleted. */
  listAccounts(page: PageAsk): Promise<Listed<Account>>;
  findAccount(slugOrId: string): Promise<Account | undefined>;
  /**
   * `slug_taken` also by a deleted account; `external_id_taken` only by a living one.
   *
   * @param ownedMax Accounts that its owner may own, this one included; `too_many` when they do, also of concurrent calls.
   * @returns `replacedSignIn`: the owner is vouched for, and their sign-in is gone.
   */
  createAccount(
    account: NewAccount,
    origin: Origin,
    once: Once | null,
    ownedMax?: number,
  ): Promise<
    | { outcome: "created"; account: Account; replacedSignIn: boolean }
    | { outcome: "slug_taken" }
    | { outcome: "external_id_taken" }
    | { outcome: "person_exists" }
    | { outcome: "too_many" }
    | OnceOutcome
  >;
  /**
   * `seq` is that of the suspension, there whenever suspending was asked for: of an account that is suspended already,
   * the first one's, whose barrier may still be to be waited for. An edit that alters nothing writes nothing, nor does
   * one whose origin says that it was done before.
   */
  updateAccount(
    slug: string,
    edit: {
      readonly name?: string;
      readonly externalId?: string | null;
      readonly suspended?: boolean;
    },
    origin: Origin,
  ): Promise<
    | { outcome: "updated"; account: Account; seq?: number }
    | Absent
    | { outcome: "external_id_taken" }
  >;
  /** Another deletion finds it absent. */
  deleteAccount(slug: string, origin: Origin): Promise<Deleted | Absent>;

  // ---- set-up
  /** Whether an owner exists, i.e. set-up is done. */
  isSetUp(): Promise<boolean>;
  /** Replaces whatever link was open; only its digest is kept. */
  openSetup(digest: string, expiresAtMs: number): Promise<void>;
  /**
   * Creates the first account and its owner, and closes set-up, in one transaction. `linkDigest` null is the command
   * line, which needs no link. Of concurrent calls one wins.
   */
  completeSetup(
    account: NewAccount,
    linkDigest: string | null,
    origin: Origin,
  ): Promise<{
    outcome:
      | "created"
      | "already_set_up"
      | "link_unknown"
      | "link_expired"
      | "slug_taken"
      | "person_exists";
  }>;

  /**
   * Drops what has outlived its use: idempotency records older than 24 h, ended sessions, invitations that expired 30 days ago, what was counted longer ago than
   * it is to be kept, and of refusals all but the newest million. Of very many only some are dropped by one call.
   *
   * @param auditKeptMs How long audit events are kept; for ever unless given.
   */
  sweep(nowMs: number, kept: UsageKept, auditKeptMs?: number | null): Promise<void>;
  /** Whether the store answers, and which seq it is at. */
  ping(): Promise<{ seq: number }>;
  close(): Promise<void>;
}
