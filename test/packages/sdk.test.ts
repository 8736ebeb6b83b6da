import { readFileSync } from "node:fs";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { emptyFolder, install, pack, ROOT, run } from "./packed.ts";

interface Subpath {
  /** Some names that it exports. */
  readonly names: readonly string[];
  /** A program that uses it. A type that got lost is `any`, and of that nothing is an error. */
  readonly program: string;
  /** The framework whose types it needs. */
  readonly peer?: string;
}

const MIDDLEWARE = ["apiKeyAuth"];
const VERIFIER = `import type { ConnectedVerifier } from "@latchkey/sdk";
declare const verifier: ConnectedVerifier;
// @ts-expect-error: without a verifier
apiKeyAuth({});
`;

/** Every subpath that may be imported. One that is not told of here fails the first test. */
const SUBPATHS: Readonly<Record<string, Subpath>> = {
  "@latchkey/sdk": { names: ["connectVerifier", "createClient", "Failure"], program: readme() },
  "@latchkey/sdk/client": {
    names: ["createClient", "ApiError"],
    program: `import { createClient } from "@latchkey/sdk/client";
const key = await createClient().apiKeys.create("production", { type: "secret" });
export const token: string | undefined = key.api_key;
// @ts-expect-error: a number is no name
await createClient().environments.create({ name: 1, slug: "test" });
`,
  },
  "@latchkey/sdk/core": {
    names: ["judge", "createLookup"],
    program: `import { judge } from "@latchkey/sdk/core";
export const verdict: { ok: boolean } = judge(null, { types: ["secret"] }, 0);
// @ts-expect-error: without a time
judge(null, { types: ["secret"] });
`,
  },
  "@latchkey/sdk/express": {
    names: MIDDLEWARE,
    peer: "express",
    program: `import { apiKeyAuth } from "@latchkey/sdk/express";
import express from "express";
${VERIFIER}express().get("/", apiKeyAuth({ verifier }), (_, res) => {
  res.json(res.locals.verdict.key.id);
});
`,
  },
  "@latchkey/sdk/fastify": {
    names: MIDDLEWARE,
    peer: "fastify",
    program: `import { apiKeyAuth } from "@latchkey/sdk/fastify";
import { fastify } from "fastify";
${VERIFIER}await fastify().register(apiKeyAuth({ verifier }));
`,
  },
  "@latchkey/sdk/fetch": {
    names: MIDDLEWARE,
    program: `import { apiKeyAuth } from "@latchkey/sdk/fetch";
${VERIFIER}export default { fetch: apiKeyAuth({ verifier })((_, { verdict }) => new Response(verdict.key.id)) };
`,
  },
  "@latchkey/sdk/hono": {
    names: MIDDLEWARE,
    peer: "hono",
    program: `import { apiKeyAuth } from "@latchkey/sdk/hono";
import { Hono } from "hono";
${VERIFIER}new Hono().get("/", apiKeyAuth({ verifier }), (c) => c.text(c.get("verdict").key.id));
`,
  },
  "@latchkey/sdk/next": {
    names: MIDDLEWARE,
    program: `import { apiKeyAuth } from "@latchkey/sdk/next";
${VERIFIER}export const GET = apiKeyAuth({ verifier })((_, { verdict }) => new Response(verdict.key.id));
`,
  },
  "@latchkey/sdk/node": {
    names: MIDDLEWARE,
    program: `import { createServer } from "node:http";
import { apiKeyAuth } from "@latchkey/sdk/node";
${VERIFIER}createServer(apiKeyAuth({ verifier })((_, res, verdict) => res.end(verdict.key.id)));
`,
  },
};

/** The program of the package's own README. */
function readme(): string {
  const text = readFileSync(join(ROOT, "sdk/README.md"), "utf8");
  const program = /```ts\n(.*?)```/s.exec(text)?.[1];
  if (program === undefined) throw new Error("sdk/README.md shows no program");
  return `${program}// @ts-expect-error: without a token
await connectVerifier({ url: "" });
`;
}

let folder: Awaited<ReturnType<typeof emptyFolder>>;
beforeAll(async () => {
  folder = await emptyFolder();
  const { sdk } = await pack(folder.path);
  await install(folder.path, [sdk.tarball]);
}, 120_000);
afterAll(() => folder?.remove());

/** Names exported by every subpath, as a program sees them that loads each by `load(name)`. */
async function namesBy(load: string): Promise<Record<string, string[]>> {
  const program = `
    import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    const names = {};
    for (const name of ${JSON.stringify(Object.keys(SUBPATHS))}) names[name] = Object.keys(await ${load});
    process.stdout.write(JSON.stringify(names));
  `;
  await writeFile(join(folder.path, "load.mjs"), program);
  const said = await run(process.execPath, ["load.mjs"], folder.path);
  return z.record(z.string(), z.array(z.string())).parse(JSON.parse(said));
}

test("every subpath that the package offers is told of in this file", async () => {
  const path = join(folder.path, "node_modules/@latchkey/sdk/package.json");
  const about = z.object({ exports: z.record(z.string(), z.unknown()) });
  const { exports } = about.parse(JSON.parse(readFileSync(path, "utf8")));
  expect(Object.keys(exports).sort()).toEqual(
    [
      ...Object.keys(SUBPATHS).map((name) => name.replace("@latchkey/sdk", ".")),
      "./package.json",
    ].sort(),
  );
});

test("every subpath can be imported where nothing but the package and ws is installed", async () => {
  const installed = await readdir(join(folder.path, "node_modules"));
  expect(installed.filter((name) => !name.startsWith("."))).toEqual(["@latchkey", "ws"]);
  const names = await namesBy("import(name)");
  for (const [subpath, { names: promised }] of Object.entries(SUBPATHS))
    expect(names[subpath]).toEqual(expect.arrayContaining([...promised]));
});

test.skipIf(!("require_module" in process.features))(
  "every subpath can be required, where Node requires ES modules",
  async () => {
    expect(await namesBy("require(name)")).toEqual(await namesBy("import(name)"));
  },
);

test("what is not exported cannot be imported", async () => {
  await writeFile(join(folder.path, "deep.mjs"), 'import "@latchkey/sdk/dist/judge.js";');
  const deep = run(process.execPath, ["deep.mjs"], folder.path);
  await expect(deep).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
});

/** Makes packages of this repository findable for the compiler: they, too, come without the registry. */
async function link(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const at = join(folder.path, "node_modules", name);
    await mkdir(dirname(at), { recursive: true });
    await symlink(join(ROOT, "node_modules", name), at).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    });
  }
}

/** Compiles the programs of these subpaths. */
async function compile(subpaths: readonly string[], options: Record<string, unknown>) {
  const files = subpaths.map((subpath) => `${subpath.replaceAll("/", "-")}.ts`);
  for (const [index, file] of files.entries())
    await writeFile(join(folder.path, file), SUBPATHS[subpaths[index] ?? ""]?.program ?? "");
  const compilerOptions = { target: "ES2023", strict: true, noEmit: true, ...options };
  await writeFile(join(folder.path, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder.path, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc")], folder.path);
}

const NODENEXT = { module: "nodenext", moduleResolution: "nodenext" };
const BUNDLER = { module: "esnext", moduleResolution: "bundler" };
const ALL = Object.keys(SUBPATHS);
const WITHOUT_PEERS = ALL.filter((subpath) => SUBPATHS[subpath]?.peer === undefined);

// The first two check all libraries that the programs lead to, so that nothing is `any` in a type of ours.
test("the client's types hold in a browser's project, without Node's", async () => {
  const options = { lib: ["ES2023", "DOM"], types: [], skipLibCheck: false };
  await compile(["@latchkey/sdk/client"], { ...options, ...BUNDLER });
}, 60_000);

test("the types of what needs no framework hold without any, and without a browser's", async () => {
  await link(["@types/node"]);
  const options = { lib: ["ES2023"], types: ["node"], skipLibCheck: false };
  await compile(WITHOUT_PEERS, { ...options, ...NODENEXT });
}, 60_000);

test.each([NODENEXT, BUNDLER])(
  "every subpath has its types under $moduleResolution",
  async (resolution) => {
    await link(["@types/node", "@types/express", "express", "fastify", "hono"]);
    await compile(ALL, { types: ["node"], skipLibCheck: true, ...resolution });
  },
  60_000,
);
