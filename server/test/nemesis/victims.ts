import type { Client as Api, RevocationJson } from "@latchkey/sdk/client";
import { digestToken } from "@latchkey/sdk/core";
import type { Random } from "../simulator/random.ts";
import { manage } from "./calls.ts";
import type { Place } from "./deployment.ts";
import type { Subject } from "./history.ts";
import type { HeldKey } from "./keyring.ts";
import type { Client, Home, World } from "./world.ts";

/** Something made to be revoked: a key; an environment, account or service token with keys. */
export interface Victim {
  readonly subject: Subject;
  readonly keys: readonly HeldKey[];
  /** Service tokens that end with it. */
  readonly tokens: readonly HeldKey[];
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
      token: null,
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
  if (random.chance(0.25)) return makeServiceToken(world, client, node);
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
    const environment = answer?.id ?? null;
    const subject = { account: home.account, environment, key: null, token: null };
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
    tokens: [],
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
    const account = answer?.account.id ?? slug;
    const subject = { account, environment: null, key: null, token: null };
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
    tokens: [],
    token: operatorToken,
    revoke: async (api) =>
      suspends
        ? (await api.accounts.update(slug, { suspended: true })).revocation
        : (await api.accounts.delete(slug)).revocation,
  };
}

/** A service token of the account, with keys that it is exchanged for: its deletion ends them all. */
async function makeServiceToken(world: World, client: Client, node: Place): Promise<Victim | null> {
  const held = await issueServiceToken(world, client, node);
  if (held === null) return null;
  const exchanged = () => exchange(world, client, client.random.pick(world.deployment.nodes), held);
  const keys = [await exchanged(), await exchanged()];
  const { subject } = held;
  return {
    subject,
    keys: keys.filter((key) => key !== null),
    tokens: [held],
    token: world.home.serviceToken,
    revoke: async (api) => (await api.serviceTokens.delete(subject.token ?? "")).revocation,
  };
}

/** Creates a service token of the account through a node; `null` when that failed: then nobody knows it. */
export async function issueServiceToken(
  { recorder, home }: World,
  client: Client,
  node: Place,
): Promise<HeldKey | null> {
  const at = { url: node.url, token: home.serviceToken, withinMs: ISSUE_WITHIN_MS };
  const { held } = await recorder.record(async () => {
    const { status, answer } = await manage(at, (api) => api.serviceTokens.create({ name: "n" }));
    const token = answer?.id ?? null;
    const subject = { account: home.account, environment: null, key: null, token };
    return {
      held: answer === null ? null : { subject, token: answer.token },
      entry: { kind: "issue", client: client.name, node: node.label, subject, status },
    };
  });
  return held;
}

/** Exchanges a service token for a key, or returns `null` when that failed: then nobody knows its token. */
async function exchange(
  { recorder, home }: World,
  client: Client,
  node: Place,
  held: HeldKey,
): Promise<HeldKey | null> {
  const at = { url: node.url, token: held.token, withinMs: ISSUE_WITHIN_MS };
  const { key } = await recorder.record(async () => {
    const { status, answer } = await manage(at, (api) =>
      api.apiKeys.exchange(home.environment.slug),
    );
    const token = answer?.api_key ?? null;
    const subject = {
      ...held.subject,
      environment: home.environment.id,
      // The answer has no id, and histories have no tokens.
      key: token === null ? null : `exchanged_${digestToken(token)}`,
    };
    return {
      key: token === null ? null : { subject, token },
      entry: { kind: "issue", client: client.name, node: node.label, subject, status },
    };
  });
  return key;
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
    tokens: [],
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
