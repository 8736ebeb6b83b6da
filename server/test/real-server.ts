import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ProvisionedJson } from "@latchkey/sdk/client";
import { type Child, startChild, waitFor } from "./child.ts";

const BINARY = fileURLToPath(new URL("../bin/latchkey.js", import.meta.url));
const BUILT = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** Signs the first owner in, wherever {@link setUp} made one. */
export const OWNER = {
  email: "ada@example.com",
  name: "Ada",
  password: "a password of some length",
} as const;

/** The server as operators run it: a process of its own, from the build. */
export interface RealServer extends Child {
  /** Where it listens, e.g. `http://127.0.0.1:4400`. */
  readonly url: string;
  readonly port: number;
  readonly dataFolder: string;
}

/** Variables of a `latchkey` process; nothing but PATH is inherited. */
export type ServerEnv = Readonly<Record<string, string>>;

/** What setting up made, with every token. */
export type FirstAccount = ProvisionedJson & { verifier_token: string; operator_token: string };

/**
 * Starts `latchkey serve` on loopback and waits until `/readyz` says so.
 *
 * @param options.port A port to come back on; 0, the default, takes a free one.
 * @throws Error with what the process wrote, when it ends or is not ready in time.
 */
export async function startServer(options: {
  dataFolder: string;
  port?: number;
  env?: ServerEnv;
  readyWithinMs?: number;
}): Promise<RealServer> {
  const { dataFolder, port = 0, env = {}, readyWithinMs = 15_000 } = options;
  const settings = { LATCHKEY_DATA: dataFolder, PORT: String(port), ...env };
  const child = startLatchkey(["serve"], settings);
  try {
    const url = await waitFor(
      "the server to be ready",
      async () => {
        if (child.hasEnded()) return "";
        const at = /listens on (http:\S+)/.exec(child.stdout())?.[1];
        if (at === undefined) return undefined;
        const { ok } = await fetch(`${at}/readyz`, { signal: AbortSignal.timeout(1_000) });
        return ok ? at : undefined;
      },
      { withinMs: readyWithinMs },
    );
    if (url === "") throw new Error("the server ended");
    return { ...child, url, port: Number(new URL(url).port), dataFolder };
  } catch (cause) {
    await child.end("SIGKILL");
    throw new Error(`latchkey did not start:\n${child.stdout()}${child.stderr()}`, { cause });
  }
}

/** Makes the first account and its {@link OWNER} with `latchkey setup --json`; the server must not run. */
export async function setUp(options: {
  dataFolder: string;
  account?: string;
  env?: ServerEnv;
}): Promise<FirstAccount> {
  const { dataFolder, account = "Acme", env = {} } = options;
  const asked = ["--email", OWNER.email, "--name", OWNER.name, "--account", account];
  const child = startLatchkey(
    ["setup", ...asked, "--password-stdin", "--json"],
    { LATCHKEY_DATA: dataFolder, ...env },
    `${OWNER.password}\n`,
  );
  const { code } = await child.ended;
  if (code !== 0) throw new Error(`latchkey setup failed:\n${child.stderr()}`);
  const first: ProvisionedJson = JSON.parse(child.stdout());
  const { verifier_token, operator_token } = first;
  if (verifier_token === undefined || operator_token === undefined)
    throw new Error("latchkey setup printed no verifier or operator token");
  return { ...first, verifier_token, operator_token };
}

/** Runs the `latchkey` command with exactly these variables and PATH. */
export function startLatchkey(args: readonly string[], env: ServerEnv, input = ""): Child {
  if (!existsSync(BUILT)) throw new Error("server/dist is not there; run `npm run build` first");
  return startChild(process.execPath, [BINARY, ...args], {
    env: { PATH: process.env.PATH, ...env },
    input,
  });
}

/** A folder of its own for one test; `remove` deletes it. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "latchkey-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Where a server is to be found, said beforehand, as one that sends mail has to be told. */
export async function ownAddress(): Promise<{ PORT: string; LATCHKEY_PUBLIC_URL: string }> {
  const port = await freePort();
  return { PORT: String(port), LATCHKEY_PUBLIC_URL: `http://127.0.0.1:${port}` };
}

/**
 * A port of loopback that nobody listens on now. Prefer port 0 where the process tells which it took.
 *
 * Below the ports that systems give to clients: a server can come back on it, and nobody who keeps calling it
 * meanwhile is given it as the port to call from, and so connected to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + randomInt(10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
