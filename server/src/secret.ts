import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/** Bytes of a secret we make: 256 bits. */
const SECRET_BYTES = 32;

/**
 * Answers the data folder's own secret; makes it, and the folder, when they are not there.
 *
 * The secret is written whole under another name and then linked into place, which fails when the name is taken: two
 * processes that start at once agree on one secret, and nobody ever reads half of one.
 *
 * @param folder SQLite's folder. The secret is its file `secret`, readable by its owner alone.
 * @param randomBytes A cryptographically strong source.
 * @throws Error of node:fs when the folder cannot be written, or one that says that the file is damaged.
 */
export async function keepSecret(
  folder: string,
  randomBytes: (count: number) => Uint8Array,
): Promise<string> {
  const path = join(folder, "secret");
  const kept = await readSecret(path);
  if (kept !== undefined) return kept;

  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = join(folder, `secret.${Buffer.from(randomBytes(8)).toString("hex")}`);
  const file = await open(fresh, "wx", 0o600);
  try {
    await file.writeFile(`${Buffer.from(randomBytes(SECRET_BYTES)).toString("base64url")}\n`);
    await file.sync();
    await link(fresh, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await file.close();
    await rm(fresh, { force: true });
  }
  const made = await readSecret(path);
  if (made === undefined) throw new Error(`The secret in ${path} vanished while it was made.`);
  return made;
}

async function readSecret(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  const secret = text.trim();
  if (secret.length < 32)
    throw new Error(
      `${path} holds no secret of at least 32 characters; restore it from a backup, or remove it (which signs everybody out).`,
    );
  return secret;
}

/** Whether an error is one of Node's with this code, e.g. `ENOENT`. */
function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
