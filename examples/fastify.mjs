// A notes API on Fastify 5: `npm i fastify @latchkey/sdk`, then `node fastify.mjs` with LATCHKEY_VERIFIER_TOKEN set.
import { connectVerifier } from "@latchkey/sdk";
import { apiKeyAuth } from "@latchkey/sdk/fastify";
import Fastify from "fastify";

const verifier = await connectVerifier({
  url: process.env.LATCHKEY_URL ?? "http://127.0.0.1:4400",
  token: process.env.LATCHKEY_VERIFIER_TOKEN,
});
const notesOf = new Map(); // environment id → notes: the wall between environments

const app = Fastify({ bodyLimit: 16 * 1024 });
app.get("/health", () => "ok"); // open: the plugin guards the scope that registers it
app.register(async (api) => {
  await api.register(apiKeyAuth({ verifier }));
  api.get("/notes", ({ verdict: { key } }) => {
    return { environment: key.environment.slug, notes: notesOf.get(key.environment.id) ?? [] };
  });
  api.post("/notes", ({ verdict: { key }, body }, reply) => {
    notesOf.set(key.environment.id, [...(notesOf.get(key.environment.id) ?? []), body]);
    reply.code(201).send();
  });
});
app.addHook("onClose", () => verifier.close()); // a revocation need not wait for one that said goodbye

const url = await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT ?? 3000) });
console.log(`The notes API listens on ${url}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => app.close());
