import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Puts what the pages of `/docs` load into the server package, which ships it: whoever installs the server gets none of
 * swagger-ui-dist's other files, nor its dependency, whose install script tells its makers of the installation.
 */
const from = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const to = fileURLToPath(new URL("../server/dist/reference", import.meta.url));

rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
for (const name of [
  "swagger-ui-bundle.js",
  "favicon-32x32.png",
  // Apache-2.0, section 4, wants these to come along.
  "LICENSE",
  "NOTICE",
  "swagger-ui-bundle.js.LICENSE.txt",
])
  cpSync(join(from, name), join(to, name));

// The map stays behind, and a changed file has to say that it was changed.
const css = readFileSync(join(from, "swagger-ui.css"), "utf8").replace(
  /\/\*# sourceMappingURL=\S+?\*\/\s*$/,
  "/* Changed for Latchkey: the name of a source map was taken out. */\n",
);
writeFileSync(join(to, "swagger-ui.css"), css);
