import type { Client as Api, RevocationJson } from "@latchkey/sdk/client";
import type { Random } from "../simulator/random.ts";
import { manage } from "./calls.ts";
import type { Place } from "./deployment.ts";
import type { Subject } from "./history.ts";
import type { HeldKey } from "./keyring.ts";
import type { Client, Home, World } from "./world.ts";

/** Something made to be revoked: a key, or an environment or account with keys. */
export interface Victim {
  readonly subject: Subject;
  readonly keys: readonly HeldKey[];
  /** Whose token revokes it. */
  readonly token: string;
  revoke(api: Api, wait: boolean): Promise<RevocationJson | null>;
}

/** Issuing waits for nobody; one that takes so long has met a fault. */
const ISSUE_WITHIN_MS = 1_000;

/** Issues a key through a node, or returns `null` when that failed: then nobody knows a token. */
export async function issueKey(
  { recorder }: World,
  client: Client,
  node: Place,
  home: Home,
): Promise<HeldKey | null> {
  const at = { url: node.url, token: home.serviceToken, withinMs: ISSUE_WITHIN_MS };
  const { key } = await recorder.record(async () => {
    const { status, answer } = await manage(at, (api) =>
      api.apiKeys.create(home.environment.slug, { type: "secret" }),
    );
    const subject = {
      account: home.account,
      environment: home.environment.id,
      key: answer?.id ?? null,
    };
    const token = answer?.api_key;
    return {
      key: token === undefined ? null : { subject, token },
      entry: { kind: "issue", client: client.name, node: node.label, subject, status },
    };
  });
  return key;
}

/** Makes something to revoke, through a node: mostly a key. `null` when that failed. */
export async function makeVictim(
  world: World,
  client: Client,
  node: Place,
): Promise<Victim | null> {
  const { random } = client;
  if (random.chance(0.3)) return makeEnvironment(world, client, node);
  if (random.chance(0.2)) return makeAccount(world, client, node);
  const key = await issueKey(world, client, node, world.home);
  return key === null ? null : keyVictim(key, world.home.serviceToken);
}

async function makeEnvironment(world: World, client: Client, node: Place): Promise<Victim | null> {
  const { home } = world;
  const slug = newSlug(client.random);
  const at = { url: node.url, token: home.serviceToken, withinMs: ISSUE_WITHIN_MS };
  const { made, subject } = await world.recorder.record(async () => {
    const { status, answer } = await manage(at, (api) =>
      api.environments.create({ name: slug, slug }),
    );
    const subject = { account: home.account, environment: answer?.id ?? null, key: null };
    return {
      made: answer,
      subject,
      entry: { kind: "issue", client: client.name, node: node.label, subject, status },
    };
  });
  if (made === null) return null;
  return {
    subject,
    keys: await issueSome(world, client, node, { ...home, environment: made }),
    token: home.serviceToken,
    revoke: async (api) => (await api.environments.delete(slug)).revocation,
  };
}

async function makeAccount(world: World, client: Client, node: Place): Promise<Victim | null> {
  const operatorToken = world.deployment.first.operator_token;
  const slug = newSlug(client.random);
  const at = { url: node.url, token: operatorToken, withinMs: ISSUE_WITHIN_MS };
  const { made, subject } = await world.recorder.record(async () => {
    const { status, answer } = await manage(at, (api) => api.accounts.create({ name: slug, slug }));
    const subject = { account: answer?.account.id ?? slug, environment: null, key: null };
    return {
      made: answer,
      subject,
      entry: { kind: "issue", client: client.name, node: node.label, subject, status },
    };
  });
  const environment = made?.environments[0];
  if (made === null || environment === undefined) return null;
  const serviceToken = made.service_token;
  const suspends = client.random.chance(0.5);
  return {
    subject,
    keys: await issueSome(world, client, node, {
      account: made.account.id,
      environment,
      serviceToken,
    }),
    token: operatorToken,
    revoke: async (api) =>
      suspends
        ? (await api.accounts.update(slug, { suspended: true })).revocation
        : (await api.accounts.delete(slug)).revocation,
  };
}

/** Slugs are never given out again, so one whose answer was lost is not tried twice. */
function newSlug(random: Random): string {
  return `n-${random.below(2 ** 48).toString(36)}`;
}

/** A key as something to revoke. */
export function keyVictim(key: HeldKey, token: string): Victim {
  return {
    subject: key.subject,
    keys: [key],
    token,
    revoke: async (api, wait) =>
      (await api.apiKeys.revoke(key.subject.key ?? "", {}, { wait })).revocation,
  };
}

async function issueSome(
  world: World,
  client: Client,
  node: Place,
  home: Home,
): Promise<HeldKey[]> {
  const issue = (): Promise<HeldKey | null> => issueKey(world, client, node, home);
  const keys = [await issue(), await issue()];
  return keys.filter((key) => key !== null); // it may have none, and is revoked all the same
}
