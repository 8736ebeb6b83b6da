/** Verifies warm keys on several nodes at a bounded pace until told to stop, and tells what was answered. */
import { Agent, get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

const { urls, tokens, everyMs } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true });
const told = { verified: 0, otherwise: 0 };
let stopped = false;

function statusOf(url, token) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}` };
    const request = get(`${url}/v1/authenticate`, { agent, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    });
    request.on("error", reject);
  });
}

/** One request at a time: a node that stands still is not piled up on. */
async function verify(url) {
  for (let turn = 0; !stopped; turn++) {
    const status = await statusOf(url, tokens[turn % tokens.length]);
    told[status === 200 ? "verified" : "otherwise"] += 1;
    await delay(everyMs);
  }
}

process.once("message", async () => {
  stopped = true;
  await verifying;
  process.send(told, () => process.disconnect());
});
process.once("disconnect", () => process.exit());
const verifying = Promise.all(urls.map(verify));
process.send("started");
