import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Puts the built dashboard into the server package, which ships it. */
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

rmSync(path("../server/dist/dashboard"), { recursive: true, force: true });
cpSync(path("../dashboard/dist"), path("../server/dist/dashboard"), { recursive: true });
