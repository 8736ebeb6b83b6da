import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Folders of dist that the copying scripts fill, and empty themselves. */
const COPIED = ["dashboard", "reference"];

/**
 * Deletes what earlier builds left of sources that are gone: the compiler never does, and a package ships its whole dist.
 * Only such files, so that a server or a test that runs from dist meanwhile keeps what it imports.
 */
for (const name of ["sdk", "server"]) {
  const home = fileURLToPath(new URL(`../${name}/`, import.meta.url));
  const dist = join(home, "dist");
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const inside = relative(dist, path);
    if (!entry.isFile() || COPIED.includes(inside.split(sep)[0])) continue;
    const source = join(home, "src", inside.replace(/(?:\.d\.ts|\.js)$/, ".ts"));
    if (source.endsWith(".test.ts") || !existsSync(source)) rmSync(path);
  }
}
