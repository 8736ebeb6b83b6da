import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";

/** Long enough to download what a test needs of the npm registry, once: npm keeps it. */
export const DOWNLOAD_MAX_MS = 120_000;

/** What a test needs cannot be had here: the reason to skip it. */
export interface Missing {
  readonly why: string;
}

/**
 * The reason to skip what needs a download that failed.
 *
 * @throws Error where LATCHKEY_REQUIRE_DOWNLOADS is 1, so that nothing is skipped unnoticed.
 */
export function missing(name: string, cause: unknown): Missing {
  const why = `${name} cannot be installed here`;
  if (process.env.LATCHKEY_REQUIRE_DOWNLOADS === "1") throw new Error(why, { cause });
  return { why: `${why}: ${String(cause).slice(0, 200)}` };
}

/**
 * Where a runtime of the npm registry is.
 *
 * @param evaluate How it is told to run a script from its command line, e.g. `node`, `-e`.
 */
export async function findRuntime(
  name: string,
  ...evaluate: readonly string[]
): Promise<{ readonly path: string } | Missing> {
  const script = "process.stdout.write(process.execPath)";
  const args = ["--yes", "--package", name, "--", ...evaluate, script];
  const options = { cwd: tmpdir(), timeout: DOWNLOAD_MAX_MS };
  try {
    const { stdout } = await promisify(execFile)("npx", args, options);
    return { path: stdout.trim() };
  } catch (error) {
    return missing(name, error);
  }
}
