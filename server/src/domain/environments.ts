import { Failure } from "@latchkey/sdk/core";
import type {
  AccountStore,
  Environment,
  NewEnvironment,
  Once,
  Origin,
  PageAsk,
  PageOf,
  Revocation,
} from "../store/store.ts";
import { draftKey, type KeyDeps } from "./keys.ts";
import { gone, mismatch, missing, pageOf } from "./outcomes.ts";

/** The tokens that an environment starts with, for the one answer that created it. */
export interface FirstTokens {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** An environment just created; a replay has it as it is now, and no tokens. */
export type CreatedEnvironment =
  | { readonly replayed: false; readonly environment: Environment; readonly tokens: FirstTokens }
  | { readonly replayed: true; readonly environment: Environment };

/** Makes an environment that is not stored yet, with its one public and one secret key. */
export function draftEnvironment(
  deps: Pick<KeyDeps, "ambient" | "makeToken">,
  draft: { readonly slug: string; readonly name: string },
): { record: NewEnvironment; tokens: FirstTokens } {
  const plain = { description: "", metadata: {}, expiresAtMs: null };
  const publicKey = draftKey(deps, { ...plain, type: "public" });
  const secretKey = draftKey(deps, { ...plain, type: "secret" });
  const record = {
    id: deps.ambient.sortableId("env"),
    slug: draft.slug,
    name: draft.name,
    keys: [publicKey.record, secretKey.record],
  };
  return { record, tokens: { publicKey: publicKey.token, secretKey: secretKey.token } };
}

/** @throws Failure `conflict` when the slug is or was taken: slugs are never given out again. */
export async function createEnvironment(
  deps: KeyDeps,
  account: AccountStore,
  draft: { readonly slug: string; readonly name: string },
  origin: Origin,
  once: Once | null,
): Promise<CreatedEnvironment> {
  const { record, tokens } = draftEnvironment(deps, draft);
  const done = await account.createEnvironment(record, origin, once);
  switch (done.outcome) {
    case "created":
      return { replayed: false, environment: done.environment, tokens };
    case "replayed":
      return { replayed: true, environment: await getEnvironment(account, done.id) };
    case "slug_taken":
      throw new Failure("conflict", "This slug is taken, or was: slugs are never given out again.");
    case "mismatch":
      throw mismatch();
  }
}

/** @throws Failure `invalid_params` for a cursor of another list. */
export async function listEnvironments(
  account: AccountStore,
  page: PageAsk,
): Promise<PageOf<Environment>> {
  return pageOf(await account.listEnvironments(page), page);
}

/** Changes the name that people see. The slug stays: operators key their data by it. */
export async function renameEnvironment(
  account: AccountStore,
  slug: string,
  name: string,
  origin: Origin,
): Promise<Environment> {
  const done = await account.renameEnvironment(slug, name, origin);
  if (done.outcome === "absent") throw missing("environment");
  return done.environment;
}

/**
 * Deletes an environment; resolves when none of its keys is accepted anywhere any more.
 *
 * @throws Failure `resource_missing`, of one that is deleted already not before that is so either; `service_unavailable`
 *   when it is deleted but that could not be proved: calling again goes on waiting.
 */
export async function deleteEnvironment(
  deps: KeyDeps,
  account: AccountStore,
  slug: string,
  origin: Origin,
): Promise<Revocation> {
  const done = await account.deleteEnvironment(slug, origin);
  if (done.outcome === "absent") throw await gone(deps.barrier, "environment", done);
  return deps.barrier.complete(done.seq);
}

async function getEnvironment(account: AccountStore, id: string): Promise<Environment> {
  const environment = await account.findEnvironment(id);
  if (environment === undefined) throw missing("environment");
  return environment;
}
