/**
 * What anybody would write by hand at the least: node:http, a digest, a Map. It answers a known token with as many
 * header bytes as Latchkey does. It has no lease, no expiry, no refusals worth the name, and its request ids count up.
 */
import { hash } from "node:crypto";
import { createServer } from "node:http";
import { tokenOf } from "../world.mjs";

const { keys, account, environment, keepAliveTimeoutMs } = JSON.parse(process.argv[2]);
const held = new Map();
for (let index = 0; index < keys; index++) {
  const id = `key_${index.toString(16).padStart(32, "0")}`;
  held.set(hash("sha256", tokenOf(index), "base64url"), { id });
}
let requests = 0;

const server = createServer({ keepAliveTimeout: keepAliveTimeoutMs }, (req, res) => {
  const token = req.headers.authorization?.slice(7) ?? "";
  const key = held.get(hash("sha256", token, "base64url"));
  if (key === undefined) {
    res.writeHead(401, ["Content-Length", "0"]);
    res.end();
    return;
  }
  res.writeHead(200, [
    "X-Request-Id",
    `req_${String(++requests).padStart(24, "0")}`,
    "X-Latchkey-Account",
    account.slug,
    "X-Latchkey-Account-Id",
    account.id,
    "X-Latchkey-Environment",
    environment.slug,
    "X-Latchkey-Environment-Id",
    environment.id,
    "X-Latchkey-Key-Id",
    key.id,
    "X-Latchkey-Key-Type",
    "secret",
    "Cache-Control",
    "no-store",
    "Content-Length",
    "0",
  ]);
  res.end();
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
