import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { emptyFolder, type Packed, pack, ROOT } from "./packed.ts";

const ALWAYS = ["LICENSE", "README.md", "package.json"];
const NAMES = ["sdk", "server"] as const;

let packed: { sdk: Packed; server: Packed };
let folder: Awaited<ReturnType<typeof emptyFolder>>;
beforeAll(async () => {
  folder = await emptyFolder();
  packed = await pack(folder.path);
});
afterAll(() => folder?.remove());

/** All files below a folder, by their path in it. */
function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));
}

/** What the compiler makes of a package's sources: nothing of tests, and nothing of sources that are gone. */
function compiled(name: string, endings: readonly string[]): string[] {
  return filesOf(join(ROOT, name, "src"))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .flatMap((path) => endings.map((ending) => `dist/${path.replace(/\.ts$/, ending)}`));
}

test("the SDK's package is its code, its types and its vectors, and nothing else", () => {
  const vectors = ["README.md", "run.py", "tokens.json", "verdicts.json"];
  const code = compiled("sdk", [".js", ".d.ts"]);
  expect(code).toContain("dist/middleware/express.d.ts");
  expect(packed.sdk.files).toEqual(
    [...ALWAYS, ...vectors.map((path) => `vectors/${path}`), ...code].sort(),
  );
  expect(packed.sdk.unpackedBytes).toBeLessThan(400_000);
});

/** What `/docs` loads, and what its licence, Apache-2.0, wants to come along. */
const REFERENCE = [
  "LICENSE",
  "NOTICE",
  "favicon-32x32.png",
  "swagger-ui-bundle.js",
  "swagger-ui-bundle.js.LICENSE.txt",
  "swagger-ui.css",
];

test("the server's package is its command, its code, the dashboard and Swagger UI, and nothing else", () => {
  const dashboard = filesOf(join(ROOT, "dashboard/dist"));
  const code = compiled("server", [".js"]);
  expect(dashboard).toContain("index.html");
  expect(
    dashboard.filter((path) => !/^(?:index\.html|assets\/.*\.(?:js|css))$/.test(path)),
  ).toEqual([]);
  expect(code).toContain("dist/store/migrations/migrate.js");
  expect(packed.server.files).toEqual(
    [
      ...ALWAYS,
      "bin/latchkey.js",
      ...code,
      ...dashboard.map((path) => `dist/dashboard/${path}`),
      ...REFERENCE.map((path) => `dist/reference/${path}`),
    ].sort(),
  );
  // Swagger UI is half of it.
  expect(packed.server.packedBytes).toBeLessThan(1_500_000);
  expect(packed.server.unpackedBytes).toBeLessThan(6_000_000);
});

test.each(NAMES)(
  "no file of %s names a folder of this machine, or a source map that is not there",
  (name) => {
    for (const path of packed[name].files) {
      const text = readFileSync(join(ROOT, name, path), "utf8");
      expect(text.includes(ROOT), path).toBe(false);
      expect(/^\/[/*][#@] sourceMappingURL=/m.test(text), path).toBe(false);
    }
  },
);

test.each(NAMES)(
  "%s has the project's licence, and a README whose links stay in the package",
  (name) => {
    const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
    expect(read(`${name}/LICENSE`)).toBe(read("LICENSE"));
    const links = [...read(`${name}/README.md`).matchAll(/\]\(([^)#]+)/g)].map(
      ([, to]) => to ?? "",
    );
    expect(links.filter((to) => !existsSync(join(ROOT, name, to)))).toEqual([]);
  },
);

test("the server asks for the very SDK that it was built with", () => {
  const about = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });
  const [sdk, server] = NAMES.map((name) =>
    about.parse(JSON.parse(readFileSync(join(ROOT, name, "package.json"), "utf8"))),
  );
  expect(server?.dependencies["@latchkey/sdk"]).toBe(sdk?.version);
  expect(server?.version).toBe(sdk?.version);
});

test("what is installed with the server runs no script but that of SQLite's driver", () => {
  const installed = z.object({
    packages: z.record(
      z.string(),
      z.object({ dev: z.boolean().optional(), hasInstallScript: z.boolean().optional() }),
    ),
  });
  const { packages } = installed.parse(
    JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")),
  );
  const scripted = Object.entries(packages).filter(
    ([, { dev, hasInstallScript }]) => hasInstallScript === true && dev !== true,
  );
  expect(scripted.map(([path]) => path)).toEqual(["node_modules/better-sqlite3"]);
});

/** What publint has to say of a tarball. */
async function complaints(tarball: string): Promise<(string | undefined)[]> {
  const bytes = new Uint8Array(readFileSync(tarball)).buffer;
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true });
  return messages.map((message) => formatMessage(message, pkg, { color: false }));
}

test.each(NAMES)("publint has nothing to say of %s", async (name) => {
  expect(await complaints(packed[name].tarball)).toEqual([]);
});

test("publint would tell of an export that is not in the package", async () => {
  const about = { name: "planted", version: "1.0.0", type: "module", exports: "./gone.js" };
  const files = [{ name: "package/package.json", data: JSON.stringify(about) }];
  const { messages } = await publint({ pkgDir: "package", pack: { files } });
  expect(messages.map(({ code }) => code)).toContain("FILE_DOES_NOT_EXIST");
});
