import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { CommandFailure, type Terminal } from "./terminal.ts";

/** What the command line remembers of a server: `latchkey config` writes it. */
export type Remembered = z.infer<typeof REMEMBERED>;

const TOKEN_FIELDS = ["service_token", "operator_token", "verifier_token"] as const;

/** Tokens are never without the URL of their server, so that they are sent to no other. */
const REMEMBERED = z
  .strictObject({
    url: z.string().optional(),
    service_token: z.string().optional(),
    operator_token: z.string().optional(),
    verifier_token: z.string().optional(),
  })
  .refine((remembered) => remembered.url !== undefined || tokensIn(remembered).length === 0);

/** The tokens that are remembered, by their fields. */
export function tokensIn(remembered: Partial<Record<string, string>>): string[] {
  return TOKEN_FIELDS.filter((field) => remembered[field] !== undefined);
}

/** Where it is remembered: `XDG_CONFIG_HOME/latchkey/config.json`, below `~/.config` unless that is set. `null`: nowhere. */
export function configPath(env: Terminal["env"]): string | null {
  const { XDG_CONFIG_HOME, HOME } = env;
  const base = XDG_CONFIG_HOME || (HOME ? join(HOME, ".config") : null);
  return base === null ? null : join(base, "latchkey", "config.json");
}

/**
 * Reads what is remembered; nothing when there is no file.
 *
 * @throws CommandFailure for a file that others may read or have written: tokens in it are known to them, or are not ours.
 */
export function readRemembered(env: Terminal["env"]): Remembered {
  const path = configPath(env);
  if (path === null) return {};
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return {};
    throw new CommandFailure(`${path} cannot be read.`, { cause });
  }
  try {
    const { mode, uid } = fstatSync(file);
    const mine = userInfo().uid; // -1 where files have no owner
    if (mine >= 0 && uid !== mine)
      throw new CommandFailure(`${path} belongs to somebody else, so it is not used.`);
    if (mine >= 0 && (mode & 0o077) !== 0)
      throw new CommandFailure(
        `${path} may be read by others, so it is not used. Run: chmod 600 ${path}`,
      );
    return parse(readFileSync(file, "utf8"), path);
  } finally {
    closeSync(file);
  }
}

/** The parser's own error is not kept: it may repeat a token. */
function parse(text: string, path: string): Remembered {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = REMEMBERED.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CommandFailure(`${path} is not understood; \`latchkey config\` writes it. Remove it.`);
}

/** Remembers this and nothing else: whole, or not at all. Only the owner may read it. */
export function remember({ env, ambient }: Terminal, remembered: Remembered): string {
  const path = configPath(env);
  if (path === null)
    throw new CommandFailure("There is no place for it: neither XDG_CONFIG_HOME nor HOME is set.");
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const growing = `${path}.${ambient.randomId("new")}`;
  const file = openSync(growing, "wx", 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(remembered, null, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(growing, path);
  return path;
}
