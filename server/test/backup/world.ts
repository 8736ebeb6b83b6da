import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@latchkey/sdk/client";
import {
  type FirstAccount,
  type ServerEnv,
  setUp,
  startLatchkey,
  temporaryFolder,
} from "../real-server.ts";

/** How a command ended, and what it said. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A data folder that is set up, and a place for backups beside it. */
export interface Place {
  readonly dataFolder: string;
  readonly first: FirstAccount;
  /** A path beside the data folder. */
  path(name: string): string;
  /** Names of the files in the data folder. */
  files(): string[];
  /** Runs a command on the data folder to its end. */
  run(args: readonly string[], env?: ServerEnv): Promise<Ran>;
  remove(): Promise<void>;
}

/** Sets up a place of its own for one test. */
export async function makePlace(): Promise<Place> {
  const folder = await temporaryFolder();
  const dataFolder = join(folder.path, "data");
  return {
    dataFolder,
    first: await setUp({ dataFolder }),
    path: (name) => join(folder.path, name),
    files: () => readdirSync(dataFolder).sort(),
    run: (args, env = {}) => run(args, { LATCHKEY_DATA: dataFolder, ...env }),
    remove: folder.remove,
  };
}

/** Runs a command to its end. */
export async function run(args: readonly string[], env: ServerEnv): Promise<Ran> {
  const child = startLatchkey(args, env);
  const { code } = await child.ended;
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

/** Whether the server accepts a token. @throws Error for anything but a verdict. */
export async function accepts(url: string, token: string): Promise<boolean> {
  const { status } = await fetch(`${url}/v1/authenticate`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  if (status !== 200 && status !== 401) throw new Error(`answered ${status}`);
  return status === 200;
}

/** Issues and revokes in the first account. */
export function keysOf(url: string, { service_token }: FirstAccount) {
  const client = createClient({ url, token: service_token });
  return {
    async issue() {
      const { id, api_key } = await client.apiKeys.create("production", { type: "secret" });
      return { id, token: api_key };
    },
    revoke: (id: string) => client.apiKeys.revoke(id),
    get: (id: string) => client.apiKeys.get(id),
  };
}
