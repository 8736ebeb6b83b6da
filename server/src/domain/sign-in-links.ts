import { digestToken, Failure } from "@latchkey/sdk/core";
import type { Ambient } from "../ambient.ts";
import type { Opening, Origin, Role, Store } from "../store/store.ts";
import { newLinkSecret } from "./link-secrets.ts";
import { missing } from "./outcomes.ts";

/** How long a sign-in link waits: the customer's browser is on its way already. */
export const SIGN_IN_LINK_MS = 60_000;

/** How long a link lives with which somebody chooses a new password: it is handed over by people. */
export const RESET_LINK_MS = 30 * 60_000;

interface LinkDeps {
  readonly store: Pick<
    Store,
    | "createSignInLink"
    | "openSignInLink"
    | "findPerson"
    | "jointly"
    | "recordResetLink"
    | "removeSecondFactor"
  >;
  readonly ambient: Ambient;
}

/** A link as its maker gets it, the secret this once. */
export interface MadeLink {
  readonly secret: string;
  readonly expiresAtMs: number;
}

/** Somebody let in by a link. */
export interface LetIn {
  readonly personId: string;
  readonly account: { readonly id: string; readonly slug: string };
}

/**
 * Makes a link that signs somebody in to one account, once.
 *
 * @param draft `name` is for somebody who is new here; unless given, what stands before the @ of their address.
 * @throws Failure `resource_missing` for an account that is not there, `conflict` for one that wants a second factor.
 */
export async function createSignInLink(
  deps: LinkDeps,
  accountSlug: string,
  draft: { readonly email: string; readonly role: Role; readonly name: string | null },
  origin: Origin,
): Promise<MadeLink & { readonly id: string }> {
  const { store, ambient } = deps;
  const id = ambient.sortableId("sil");
  const secret = newLinkSecret(ambient);
  const expiresAtMs = origin.atMs + SIGN_IN_LINK_MS;
  const { email, role, name } = draft;
  const link = {
    id,
    email,
    role,
    name: name ?? email.slice(0, email.indexOf("@")),
    digest: digestToken(secret),
    expiresAtMs,
  };
  const { outcome } = await store.createSignInLink(accountSlug, link, origin);
  if (outcome === "absent") throw missing("account");
  if (outcome === "two_factor_required") throw wantsTwoFactor();
  return { id, secret, expiresAtMs };
}

/**
 * Uses a link up.
 *
 * @throws Failure `resource_missing` for one that is unknown, used or expired, which is all one; `conflict` when the
 *   account wants a second factor since then.
 */
export async function openSignInLink(
  deps: LinkDeps,
  secret: string,
  originOf: Opening["originOf"],
): Promise<LetIn> {
  const { store, ambient } = deps;
  const opened = await store.openSignInLink(digestToken(secret), {
    newPersonId: ambient.sortableId("per"),
    atMs: ambient.nowMs(),
    originOf,
  });
  switch (opened.outcome) {
    case "opened":
      return { personId: opened.personId, account: opened.account };
    case "two_factor_required":
      throw wantsTwoFactor();
    case "absent":
      throw new Failure(
        "resource_missing",
        "This link is unknown, was used already, or has expired. Go back to where you came from for a new one.",
      );
  }
}

/**
 * Makes a link with which somebody chooses a new password, once.
 *
 * @param deps.keepResetToken Keeps it where sign-in finds it.
 * @param ask.removesTwoFactor For somebody who has lost their second factor too.
 * @throws Failure `resource_missing` when nobody has this address.
 */
export async function createResetLink(
  deps: LinkDeps & {
    keepResetToken(personId: string, token: string, expiresAtMs: number): Promise<void>;
  },
  ask: { readonly email: string; readonly removesTwoFactor: boolean },
  originOf: () => Origin,
): Promise<MadeLink> {
  const { store, ambient } = deps;
  const person = await store.findPerson(ask.email);
  if (person === undefined) throw missing("person");
  const secret = newLinkSecret(ambient);
  const origin = originOf();
  const expiresAtMs = origin.atMs + RESET_LINK_MS;
  await store.jointly({ personId: person.id }, async () => {
    await store.recordResetLink(person, origin);
    if (ask.removesTwoFactor) await store.removeSecondFactor(person.id, originOf());
    await deps.keepResetToken(person.id, secret, expiresAtMs);
  });
  return { secret, expiresAtMs };
}

function wantsTwoFactor(): Failure {
  return new Failure(
    "conflict",
    "This account is for people with a second factor, and a link proves none.",
  );
}
