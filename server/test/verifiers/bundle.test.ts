import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { temporaryFolder } from "../real-server.ts";

const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** What a page's worth of thumbnails exceeds: nobody has to think twice about it. */
const GZIP_BYTES_MAX = 12_000;

test("an app that verifies bundles under 12 kB, without the management client and the middleware", async () => {
  const folder = await temporaryFolder();
  try {
    await mkdir(join(folder.path, "node_modules/@latchkey"), { recursive: true });
    await symlink(root("sdk"), join(folder.path, "node_modules/@latchkey/sdk"));
    const entry = join(folder.path, "entry.js");
    await writeFile(
      entry,
      'import { connectVerifier } from "@latchkey/sdk";\nconnectVerifier();\n',
    );
    const out = join(folder.path, "out.js");
    await promisify(execFile)(process.execPath, [
      root("node_modules/rolldown/bin/cli.mjs"),
      entry,
      ...["--platform", "node", "--format", "esm", "--external", "ws", "--minify", "-o", out],
    ]);
    const bundle = await readFile(out);
    expect(bundle.toString()).toContain("/v1/verifier");
    for (const foreign of ["/v1/api_keys", "Idempotency-Key", "WWW-Authenticate"])
      expect(bundle.toString()).not.toContain(foreign);
    expect(gzipSync(bundle).length).toBeLessThan(GZIP_BYTES_MAX);
  } finally {
    await folder.remove();
  }
});
