import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "@latchkey/sdk/core";
import type { App } from "./openapi.ts";

const require = createRequire(import.meta.url);

/** Files of Swagger UI that its page loads; no other file of the package is served. */
const ASSETS: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

/** Everything from here; its pictures are data: URLs. No inline script or style is allowed, and none is needed. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Latchkey API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/initializer.js"></script>
  </body>
</html>
`;

/** Ours instead of the package's, which loads a stranger's document. Tokens typed into the page are not kept. */
const INITIALIZER = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

/** Finds Swagger UI: beside the server's own code when built, else in the workspace. */
function findSwaggerUi(): string {
  const packed = fileURLToPath(new URL("../reference", import.meta.url));
  if (existsSync(packed)) return packed;
  return dirname(require.resolve("swagger-ui-dist/package.json"));
}

/** Serves the API's reference, `/docs`. */
export function mountDocs(app: App): void {
  const folder = findSwaggerUi();
  const remembered = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  function asset(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const reading = readFile(join(folder, name)).then((bytes) => new Uint8Array(bytes));
    remembered.set(name, reading);
    reading.catch(() => remembered.delete(name)); // the next request reads it again
    return reading;
  }

  for (const path of ["/docs", "/docs/"])
    app.get(path, (c) =>
      c.body(PAGE, 200, {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-cache",
      }),
    );
  app.get("/docs/initializer.js", (c) =>
    c.body(INITIALIZER, 200, { "Content-Type": "text/javascript; charset=utf-8" }),
  );
  app.get("/docs/:file", async (c) => {
    const name = c.req.param("file");
    const type = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
    if (type === undefined) throw new Failure("resource_missing", "There is no such file.");
    return c.body(await asset(name), 200, {
      "Content-Type": type,
      "Cache-Control": "public, max-age=3600",
    });
  });
}
