import { fileURLToPath } from "node:url";
import { createClient } from "@latchkey/sdk/client";
import { type Child, startChild, waitFor } from "../child.ts";
import { createRestartable, type Undo } from "../fleet.ts";
import { freePort, type ServerEnv } from "../real-server.ts";
import { openTcpLink } from "../tcp-link.ts";
import type { Place } from "./deployment.ts";

const APP = fileURLToPath(new URL("app.mjs", import.meta.url));

/** Longer than it takes to connect, by far. */
const START_WITHIN_MS = 15_000;

/**
 * Starts apps below all of some nodes, each over a link of its own to each node, all connected on return.
 *
 * Each has a verifier token of its own, for the holder of a token that keeps everybody waiting is granted less.
 *
 * @param options.envs Variables of each app besides those that it needs.
 * @param undo Told how to end each app and close its links.
 */
export async function startApps(
  options: { nodes: readonly Place[]; operatorToken: string; envs: readonly ServerEnv[] },
  undo: Undo,
): Promise<Place[]> {
  const { nodes, operatorToken, envs } = options;
  const api = createClient({ url: nodes[0]?.url ?? "", token: operatorToken });
  const leaseMs = Math.max(...nodes.map((node) => node.leaseMs));
  const apps = await Promise.all(
    envs.map(async (env, index): Promise<Place> => {
      const label = `app-${index + 1}`;
      const { token } = await api.tokens.create({ kind: "verifier", name: label });
      const links = await Promise.all(
        nodes.map(({ url }) => openTcpLink(Number(new URL(url).port))),
      );
      undo.push(...links.map(({ close }) => close));
      const urls = links.map(({ port }) => `http://127.0.0.1:${port}`).join(" ");
      const port = await freePort();
      const app = createRestartable(label, port, () =>
        startApp({ URLS: urls, TOKEN: token, PORT: String(port), ...env }),
      );
      undo.push(app.end);
      return { ...app, leaseMs, links };
    }),
  );
  await Promise.all(apps.map((app) => app.start()));
  return apps;
}

/** Resolves when the app is connected and listens. */
async function startApp(env: ServerEnv): Promise<Child> {
  const child = startChild(process.execPath, [APP], { env: { PATH: process.env.PATH, ...env } });
  try {
    const isUp = await waitFor(
      "an app to be connected",
      () => (child.hasEnded() ? false : child.stdout().includes("listens on") || undefined),
      { withinMs: START_WITHIN_MS },
    );
    if (!isUp) throw new Error("the app ended");
    return child;
  } catch (cause) {
    await child.end("SIGKILL");
    throw new Error(`an app did not start:\n${child.stderr()}`, { cause });
  }
}
