/** An operator's API with the SDK in it: what is posted is verified. Started by the tests, with the address of a server. */
import { createServer } from "node:http";
import { connectVerifier } from "@latchkey/sdk";

const verifier = await connectVerifier({
  url: process.argv[2],
  token: process.env.LATCHKEY_VERIFIER_TOKEN,
});

async function judge(token) {
  const verdict = verifier.verify(token, { types: ["secret"] });
  const sync = !(verdict instanceof Promise);
  try {
    return { sync, outcome: (await verdict).ok ? "accepted" : "refused" };
  } catch (error) {
    return { sync, outcome: error.code === "verification_unavailable" ? "unavailable" : "failed" };
  }
}

const server = createServer((req, res) => {
  let token = "";
  req.setEncoding("utf8").on("data", (part) => {
    token += part;
  });
  req.on("end", async () => {
    const { sync, outcome } = await judge(token);
    res.end(JSON.stringify({ sync, outcome, state: verifier.state }));
  });
});
server.keepAliveTimeout = 0; // while it is paused its connections grow old
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`serves on http://127.0.0.1:${server.address().port}\n`);
});
process.on("SIGTERM", async () => {
  await verifier.close();
  server.close();
  server.closeAllConnections();
});
