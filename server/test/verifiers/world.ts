import { fileURLToPath } from "node:url";
import { type ConnectedVerifier, Failure, type Verdict } from "@latchkey/sdk";
import { createClient } from "@latchkey/sdk/client";
import { type Child, startChild, waitFor } from "../child.ts";
import { freePort, type RealServer, setUp, startServer, temporaryFolder } from "../real-server.ts";

export type World = Awaited<ReturnType<typeof startWorld>>;

/** What a verifier said of a token. `unavailable` is no refusal. */
export type Outcome = "accepted" | "refused" | "unavailable";

export const SECRET = { types: ["secret"] } as const;

/** One real server on SQLite that can be killed and comes back on the same port, with the first account. */
export async function startWorld(leaseSeconds: number) {
  const folder = await temporaryFolder();
  const port = await freePort();
  const first = await setUp({ dataFolder: folder.path });
  const env = { LATCHKEY_LEASE_SECONDS: String(leaseSeconds), LATCHKEY_LOG_LEVEL: "fatal" };
  const start = () => startServer({ dataFolder: folder.path, port, env });
  let server: RealServer = await start();
  const url = `http://127.0.0.1:${port}`;
  const client = createClient({ url, token: first.service_token, retries: 0 });
  return {
    url,
    port,
    first,
    client,
    leaseMs: leaseSeconds * 1_000,
    server: () => server,
    kill: () => server.end("SIGKILL"),
    terminate: () => server.end("SIGTERM"),
    async start() {
      server = await start();
    },
    /** A secret key of the production environment, with its token. */
    async issue() {
      const key = await client.apiKeys.create("production", { type: "secret" });
      return { id: key.id, token: key.api_key ?? "" };
    },
    async stop() {
      await server.end("SIGKILL");
      await folder.remove();
    },
  };
}

/** What a verifier says of a token now; anything but a verdict or an outage is thrown on. */
export async function outcomeOf(verifier: ConnectedVerifier, token: string): Promise<Outcome> {
  try {
    const verdict = await verifier.verify(token, SECRET);
    return verdict.ok ? "accepted" : "refused";
  } catch (error) {
    if (error instanceof Failure && error.code === "verification_unavailable") return "unavailable";
    throw error;
  }
}

/** The verdict of a key that is warm. @throws Error when it had to be asked for. */
export function atOnce(verdict: Verdict | Promise<Verdict>): Verdict {
  if (verdict instanceof Promise) throw new Error("the key is not warm");
  return verdict;
}

/** A process of an operator's API with the SDK in it. */
export interface App extends Child {
  /** What its verifier says of a token, and how it is doing. */
  ask(token: string): Promise<{ outcome: Outcome; sync: boolean; state: string }>;
}

const APP = fileURLToPath(new URL("app.mjs", import.meta.url));

/** Starts {@link App} with the built SDK, on Node or another runtime; resolves when it is connected. */
export async function startApp(
  world: { url: string; verifierToken: string },
  command: readonly string[] = [process.execPath],
  env: Record<string, string> = {},
): Promise<App> {
  const [program = "", ...args] = command;
  const child = startChild(program, [...args, APP, world.url], {
    env: { PATH: process.env.PATH, ...env, LATCHKEY_VERIFIER_TOKEN: world.verifierToken },
  });
  const at = await waitFor(
    "the app to be connected",
    () => (child.hasEnded() ? "" : /serves on (http:\S+)/.exec(child.stdout())?.[1]),
    { withinMs: 20_000 },
  );
  if (at === "") throw new Error(`the app ended:\n${child.stdout()}${child.stderr()}`);
  return {
    ...child,
    async ask(token) {
      const response = await fetch(at, { method: "POST", body: token });
      return JSON.parse(await response.text());
    },
  };
}
