import { Failure } from "@latchkey/sdk/core";
import type { Ambient } from "../ambient.ts";
import type {
  Account,
  AccountStore,
  NewAccount,
  Once,
  Origin,
  OwnAccount,
  PageAsk,
  PageOf,
  Revocation,
  Store,
  VouchedFor,
} from "../store/store.ts";
import { draftAccessToken } from "./access-tokens.ts";
import { draftEnvironment, type FirstTokens } from "./environments.ts";
import type { KeyDeps } from "./keys.ts";
import { gone, mismatch, missing, pageOf } from "./outcomes.ts";
import type { MakeToken } from "./tokens.ts";

export interface AccountDeps extends KeyDeps {
  readonly store: Store;
}

/** What an account starts with, every secret in it for one answer only. */
export interface Provisioned {
  readonly account: { readonly id: string; readonly name: string; readonly slug: string };
  readonly environments: readonly ({ readonly id: string; readonly slug: string } & FirstTokens)[];
  readonly serviceToken: string;
}

/** An account just provisioned; a replay has it as it is now, and no token. */
export type ProvisionedAccount =
  | {
      readonly replayed: false;
      readonly provisioned: Provisioned;
      /** The owner had not proved their address: what they signed in with is gone. */
      readonly replacedSignIn: boolean;
    }
  | {
      readonly replayed: true;
      readonly account: Account;
      readonly environments: readonly { readonly id: string; readonly slug: string }[];
    };

/** The environments of every new account. */
const FIRST_ENVIRONMENTS = [
  { slug: "development", name: "Development" },
  { slug: "production", name: "Production" },
] as const;

/**
 * Makes an account that is not stored yet, whole: its environments with their keys, and a service token. Set-up and
 * provisioning both begin here.
 *
 * @param draft `slug` is trusted to be well-formed and free of our own paths (slugs.ts).
 */
export function draftAccount(
  deps: { readonly ambient: Ambient; readonly makeToken: MakeToken },
  draft: Pick<NewAccount, "name" | "slug" | "externalId" | "owner">,
): { record: NewAccount; provisioned: Provisioned } {
  const id = deps.ambient.sortableId("acc");
  const environments = FIRST_ENVIRONMENTS.map((first) => draftEnvironment(deps, first));
  const service = draftAccessToken(deps, { kind: "service", accountId: id, name: "First token" });
  const record = {
    ...draft,
    id,
    environments: environments.map((environment) => environment.record),
    tokens: [service.record],
  };
  const provisioned = {
    account: { id, name: draft.name, slug: draft.slug },
    environments: environments.map(({ record: { id, slug }, tokens }) => ({ id, slug, ...tokens })),
    serviceToken: service.token,
  };
  return { record, provisioned };
}

/**
 * Provisions an account for the operator.
 *
 * @param draft `ownerEmail` names somebody who has signed up; `null`: nobody owns the account yet. Where they had not
 *   proved the address, they cannot sign in until they are given a link: `replacedSignIn`.
 * @throws Failure `conflict` for a slug or external id that is taken, `invalid_params` for an address nobody has.
 */
export async function provisionAccount(
  deps: AccountDeps,
  draft: Pick<NewAccount, "name" | "slug" | "externalId"> & { readonly ownerEmail: string | null },
  origin: Origin,
  once: Once | null,
): Promise<ProvisionedAccount> {
  const { ownerEmail, ...rest } = draft;
  const owner = ownerEmail === null ? null : await findOwner(deps, ownerEmail);
  return createAccount(deps, { ...rest, owner }, origin, once);
}

/** Accounts that one person may own who makes them themselves. */
export const OWNED_ACCOUNTS_MAX = 20;

/**
 * Makes an account for somebody who signed up; they are its owner.
 *
 * @throws Failure `conflict` for a slug that is taken, and for one account too many.
 */
export async function openOwnAccount(
  deps: AccountDeps,
  draft: Pick<NewAccount, "name" | "slug"> & { readonly ownerId: string },
  origin: Origin,
  once: Once | null,
): Promise<ProvisionedAccount> {
  const { ownerId, ...rest } = draft;
  const owned = { ...rest, externalId: null, owner: { id: ownerId } };
  return createAccount(deps, owned, origin, once, OWNED_ACCOUNTS_MAX);
}

async function createAccount(
  deps: AccountDeps,
  draft: Parameters<typeof draftAccount>[1],
  origin: Origin,
  once: Once | null,
  ownedMax?: number,
): Promise<ProvisionedAccount> {
  const { record, provisioned } = draftAccount(deps, draft);
  const done = await deps.store.createAccount(record, origin, once, ownedMax);
  switch (done.outcome) {
    case "created":
      return { replayed: false, provisioned, replacedSignIn: done.replacedSignIn };
    case "replayed":
      return replayOf(deps.store, done.id);
    case "slug_taken":
      throw new Failure("conflict", "This slug is taken, or was: slugs are never given out again.");
    case "external_id_taken":
      throw externalIdTaken();
    case "person_exists":
      throw new Failure("conflict", "A person with this e-mail address exists.");
    case "too_many":
      throw new Failure("conflict", `You own ${OWNED_ACCOUNTS_MAX} accounts, which is the most.`);
    case "mismatch":
      throw mismatch();
  }
}

/** @throws Failure `invalid_params` for a cursor of another list. */
export async function listAccounts(store: Store, page: PageAsk): Promise<PageOf<Account>> {
  return pageOf(await store.listAccounts(page), page);
}

/**
 * Changes an account. Suspending it resolves when none of its keys is accepted anywhere any more; any other change
 * once this node has applied it.
 *
 * @throws Failure `resource_missing`, `conflict` for an external id that is taken.
 */
export async function updateAccount(
  deps: AccountDeps,
  slug: string,
  edit: {
    readonly name?: string;
    readonly externalId?: string | null;
    readonly suspended?: boolean;
  },
  origin: Origin,
): Promise<Account> {
  const done = await deps.store.updateAccount(slug, edit, origin);
  if (done.outcome === "absent")
    throw edit.suspended === true ? await gone(deps.barrier, "account", done) : missing("account");
  if (done.outcome === "external_id_taken") throw externalIdTaken();
  const { account, seq } = done;
  // Suspending again goes on waiting for the first suspension, unless somebody has seen that end.
  if (seq !== undefined && account.revocation?.effectiveAtMs === null)
    return { ...account, revocation: await deps.barrier.complete(seq) };
  await deps.barrier.publish();
  return account;
}

/**
 * Deletes an account; resolves when none of its keys is accepted anywhere any more.
 *
 * @throws Failure `resource_missing`, of one that is deleted already not before that is so either; `service_unavailable`
 *   when it is deleted but that could not be proved: calling again goes on waiting.
 */
export async function deleteAccount(
  deps: AccountDeps,
  slug: string,
  origin: Origin,
): Promise<Revocation> {
  const done = await deps.store.deleteAccount(slug, origin);
  if (done.outcome === "absent") throw await gone(deps.barrier, "account", done);
  return deps.barrier.complete(done.seq);
}

/** @throws Failure `resource_missing` when it was deleted meanwhile. */
export async function getOwnAccount(account: AccountStore): Promise<OwnAccount> {
  const own = await account.findOwnAccount();
  if (own === undefined) throw missing("account");
  return own;
}

/**
 * Sets how long keys of the account may live, `null` for as long as they are wanted. Resolves when every verifier anywhere
 * knows of the ends that it brought forward; setting the same again goes on waiting for that.
 *
 * @throws Failure `resource_missing`; `service_unavailable` when it is set but that could not be proved.
 */
export async function setKeyMaxAge(
  deps: Pick<KeyDeps, "barrier">,
  account: AccountStore,
  maxAgeMs: number | null,
  origin: Origin,
): Promise<OwnAccount> {
  const done = await account.setKeyMaxAge(maxAgeMs, origin);
  if (done.outcome === "absent") throw missing("account");
  if (done.seq !== null) await deps.barrier.complete(done.seq);
  return done.account;
}

/**
 * Closes the account to whoever has no second factor, or opens it again.
 *
 * @param hasTwoFactor Whether whoever asks stands on a second factor.
 * @throws Failure `conflict` when they would close the door on themselves; `resource_missing`.
 */
export async function requireTwoFactor(
  account: AccountStore,
  required: boolean,
  hasTwoFactor: boolean,
  origin: Origin,
): Promise<OwnAccount> {
  if (required && !hasTwoFactor)
    throw new Failure(
      "conflict",
      "Turn on your own second factor first: you would lock yourself out.",
    );
  const done = await account.setTwoFactorRequired(required, origin);
  if (done.outcome === "absent") throw missing("account");
  return done.account;
}

async function findOwner({ store, ambient }: AccountDeps, email: string): Promise<VouchedFor> {
  const person = await store.findPerson(email.toLowerCase());
  if (person !== undefined) return { id: person.id, nextEventId: () => ambient.sortableId("evt") };
  const message = "No person has this e-mail address. They have to sign up first.";
  throw new Failure("invalid_params", "Some parameters are wrong.", {
    errors: [{ field: "owner_email", message }],
  });
}

async function replayOf(store: Store, id: string): Promise<ProvisionedAccount> {
  const account = await store.findAccount(id);
  if (account === undefined) throw missing("account");
  const page = { size: REPLAYED_ENVIRONMENTS_MAX };
  const environments = pageOf(await store.account(id).listEnvironments(page), page).entries;
  return { replayed: true, account, environments };
}

/** A replay names the first page of environments; an account starts with two. */
const REPLAYED_ENVIRONMENTS_MAX = 50;

function externalIdTaken(): Failure {
  return new Failure("conflict", "Another account has this external_id.");
}
