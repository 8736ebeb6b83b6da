/** Keys that nodes hold in memory: issued, revoked, and asked about, over connections that are kept. */
import { Agent, request } from "node:http";

const agent = new Agent({ keepAlive: true });

/** Lets the process end. */
export function closeConnections() {
  agent.destroy();
}

/** A new key that every one of these nodes has just accepted. */
export async function issueHeld(fleet, nodes) {
  const { url } = nodes[0].server;
  const path = "/v1/api_keys?environment=production";
  const issued = await call(url + path, fleet.token, { type: "secret" });
  const { id, api_key: token } = issued.json();
  for (const status of await statusesOf(nodes, token))
    if (status !== 200) throw new Error(`a fresh key is answered ${status}`);
  return { id, token };
}

/** Revokes by one node, from the call to its return, and then at once asks all that can answer. */
export async function revoke(fleet, by, { id, token }, nodes) {
  let answer;
  const tookMs = await timed(async () => {
    answer = await call(`${by.server.url}/v1/api_keys/${id}/revoke`, fleet.token, {});
  });
  for (const status of await statusesOf(nodes, token))
    if (status !== 401) throw new Error(`a revoked key is answered ${status}`);
  if (answer.status !== 200) throw new Error(`a revocation is answered ${answer.status}`);
  return { tookMs, revocation: answer.json().revocation };
}

/** @throws Error when the node accepts the key; that it cannot decide is fine. */
export async function expectNotAccepted({ server }, token) {
  const { status } = await call(`${server.url}/v1/authenticate`, token);
  if (status === 200) throw new Error("a node that came back accepts a revoked key");
}

function statusesOf(nodes, token) {
  return Promise.all(
    nodes.map(async ({ server }) => (await call(`${server.url}/v1/authenticate`, token)).status),
  );
}

/** POST with a body, else GET; on connections that are kept. */
function call(url, token, body) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const method = body === undefined ? "GET" : "POST";
    const sent = request(url, { agent, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode, json: () => JSON.parse(text) }),
      );
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** How long it took, ms on the wall. */
export async function timed(work) {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
