import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { ProvisionedJson } from "@latchkey/sdk/client";
import { type Ambient, ambientOf } from "../src/ambient.ts";
import { readSettings } from "../src/config.ts";
import { openLog } from "../src/log.ts";
import { startService } from "../src/service.ts";

/** Time and chance as they are. */
export function realAmbient(): Ambient {
  return ambientOf({
    nowMs: () => Date.now(),
    monoMs: () => performance.now(),
    randomBytes: (count) => randomBytes(count),
  });
}

/** The whole service in this process, on a free port, over a folder that may hold an installation already. */
export async function serveFolder(folder: string, env: Record<string, string> = {}) {
  const log: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const settings = readSettings({ PORT: "0", LATCHKEY_DATA: folder, ...env });
  const service = await startService({
    settings: { ...settings, secret: "a secret of the tests, 32 characters or more" },
    ambient: realAmbient(),
    logger: openLog("trace", stream),
    version: "0.0.0",
  });
  /** What was logged so far, at every level. */
  return { ...service, logged: () => log.join("") };
}

/** The same over a folder of its own, set up with one account. */
export async function startTestService(env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-"));
  const service = await serveFolder(folder, env);
  const response = await fetch(`${service.url}/v1/setup`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      setup_secret: await service.setup.openLink(),
      name: "Ada",
      email: "ada@example.com",
      password: "correct horse battery staple",
      account: { name: "Acme" },
    }),
  });
  if (response.status !== 201) throw new Error(await response.text());
  const provisioned: ProvisionedJson = JSON.parse(await response.text());
  return {
    url: service.url,
    folder,
    provisioned,
    logged: service.logged,
    async close() {
      await service.close();
      rmSync(folder, { recursive: true });
    },
  };
}
