import { copyFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startChild } from "../../server/test/child.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A package as it would be published. */
export interface Packed {
  readonly tarball: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** What is in it, by its path in the package. */
  readonly files: readonly string[];
}

const REPORT = z.array(
  z.object({
    name: z.string(),
    filename: z.string(),
    size: z.number(),
    unpackedSize: z.number(),
    files: z.array(z.object({ path: z.string() })),
  }),
);

/**
 * Packs both packages into a folder, from the build that is there: to build again, as publishing does, would take the
 * files away under the servers of other tests.
 */
export async function pack(into: string): Promise<{ sdk: Packed; server: Packed }> {
  const asked = ["-w", "sdk", "-w", "server", "--ignore-scripts", "--json"];
  const report = await run("npm", ["pack", ...asked, "--pack-destination", into], ROOT);
  const packages = REPORT.parse(JSON.parse(report));
  const find = (name: string): Packed => {
    const found = packages.find((one) => one.name === name);
    if (found === undefined) throw new Error(`npm did not pack ${name}`);
    return {
      tarball: join(into, found.filename),
      packedBytes: found.size,
      unpackedBytes: found.unpackedSize,
      files: found.files.map(({ path }) => path).sort(),
    };
  };
  return { sdk: find("@latchkey/sdk"), server: find("@latchkey/server") };
}

/**
 * Installs packages into a folder that holds nothing, as somebody would who has never seen this repository.
 *
 * @param packages Tarballs, or names with versions. Install scripts do not run: see {@link borrowDriver}.
 */
export async function install(folder: string, packages: readonly string[]): Promise<void> {
  // Without the prefix npm would look for a project in the folders above.
  const asked = ["--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...asked, "--prefer-offline", ...packages], folder);
}

/** The version of SQLite's driver that this repository runs on. */
export async function driverVersion(): Promise<string> {
  const about = await readFile(join(ROOT, "node_modules/better-sqlite3/package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(about)).version;
}

/**
 * Gives an installed server the compiled half of SQLite's driver that this repository has. Its own install script would
 * download it, or compile it for minutes where it cannot; neither would say anything about our packages.
 */
export async function borrowDriver(folder: string): Promise<void> {
  const path = "node_modules/better-sqlite3/build/Release/better_sqlite3.node";
  await mkdir(dirname(join(folder, path)), { recursive: true });
  copyFileSync(join(ROOT, path), join(folder, path));
}

/**
 * Runs a command to its end.
 *
 * @returns What it wrote to standard output.
 * @throws Error with all that it wrote, when its exit code is not 0.
 */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = startChild(command, args, { cwd });
  const { code } = await child.ended;
  if (code === 0) return child.stdout();
  throw new Error(`${command} ${args.join(" ")} failed:\n${child.stdout()}${child.stderr()}`);
}

/** A folder outside of the repository, with a function that deletes it. */
export async function emptyFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "latchkey-package-"));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}
