/** Verifies warm tokens in process or by asking a server for each: answers each message with ns on the wall for each. */
import { Agent, get } from "node:http";
import { connectVerifier } from "../../sdk/dist/index.js";

const ASK = { types: ["secret"], environment: "production" };
const BATCH_MS = 300;
const WARM_UP_BATCHES = 4;

const { variant, url, verifierToken, tokens, connections } = JSON.parse(process.argv[2]);

/** Verifies every token once. */
async function inProcess() {
  const verifier = await connectVerifier({ url, token: verifierToken });
  const headers = tokens.map((token) => `Bearer ${token}`);
  for (const header of headers) await verifier.verify(header, ASK);
  return {
    async round() {
      for (const header of headers) {
        const verdict = verifier.verify(header, ASK);
        if (verdict.ok !== true) throw new Error("a valid key was not accepted at once");
      }
    },
    close: verifier.close,
  };
}

function asking() {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const path = `${url}/v1/authenticate?environment=${ASK.environment}`;
  const ask = (token) =>
    new Promise((resolve, reject) => {
      const headers = { Authorization: `Bearer ${token}` };
      const request = get(path, { agent, headers }, (response) => {
        if (response.statusCode !== 200) reject(new Error("a valid key was not accepted"));
        response.resume().on("end", resolve);
      });
      request.on("error", reject);
    });
  return {
    async round() {
      const waiting = tokens.values();
      const one = async () => {
        for (const token of waiting) await ask(token);
      };
      await Promise.all(Array.from({ length: connections }, one));
    },
    close: () => agent.destroy(),
  };
}

async function batch() {
  const startedMs = performance.now();
  let verified = 0;
  while (performance.now() - startedMs < BATCH_MS) {
    await subject.round();
    verified += tokens.length;
  }
  return ((performance.now() - startedMs) * 1e6) / verified;
}

const subject = variant === "sdk" ? await inProcess() : asking();
for (let at = 0; at < WARM_UP_BATCHES; at++) await batch();
process.on("message", async () => process.send(await batch()));
process.on("disconnect", () => subject.close());
process.send("ready");
