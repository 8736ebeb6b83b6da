import { waitFor } from "../child.ts";
import type { Fleet, FleetNode } from "../fleet.ts";

/** A secret key of the account's production environment, with its token. */
export interface Issued {
  readonly id: string;
  readonly token: string;
}

/** Longer than any answer may take: a look-up gives up after 2 s, a revocation after a lease. */
const ANSWER_WITHIN_MS = 10_000;

/** The nodes of a fleet by number, each of which must be there. */
export function nodeOf(fleet: Fleet, index: number): FleetNode {
  const node = fleet.nodes[index];
  if (node === undefined) throw new Error(`the fleet has no node ${index}`);
  return node;
}

/** Asks one node, and waits no longer than an answer may take. */
export function ask(node: FleetNode, path: string, token?: string): Promise<Response> {
  return fetch(node.url + path, {
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
}

/** The status with which one node answers for a token. */
export async function statusOf(node: FleetNode, token: string): Promise<number> {
  const response = await ask(node, "/v1/authenticate", token);
  await response.arrayBuffer();
  return response.status;
}

/** The statuses with which several nodes answer for a token, all asked at once. */
export function statusesOf(nodes: readonly FleetNode[], token: string): Promise<number[]> {
  return Promise.all(nodes.map((node) => statusOf(node, token)));
}

/** Issues a key, and has each of these nodes hold it: what they answer next they answer from memory. */
export async function issueHeld(
  fleet: Fleet,
  nodes: readonly FleetNode[] = fleet.nodes,
): Promise<Issued> {
  const key = await nodeOf(fleet, 0).client.apiKeys.create("production", { type: "secret" });
  const token = key.api_key ?? "";
  for (const status of await statusesOf(nodes, token))
    if (status !== 200) throw new Error(`a fresh key is answered ${status}`);
  return { id: key.id, token };
}

/** The rows by which nodes hold leases, as `label id`, in order. */
export async function nodeRows(fleet: Fleet): Promise<string[]> {
  const rows = await fleet.postgres.run("select label, id from node", fleet.database);
  return rows.map(({ label, id }) => `${label} ${id}`).sort();
}

/** Resolves when exactly these nodes, or all that run, have a row, one each: where a test may begin. */
export async function settled(
  fleet: Fleet,
  nodes = fleet.nodes.filter((node) => !node.server().hasEnded()),
): Promise<void> {
  const labels = nodes.map(({ label }) => label).sort();
  await waitFor(
    "each node to have its row, and nobody else",
    async () => {
      const rows = (await nodeRows(fleet)).map((row) => row.split(" ")[0]);
      return rows.join() === labels.join() ? true : undefined;
    },
    { withinMs: 15_000 },
  );
}
