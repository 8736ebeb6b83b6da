import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { startChild } from "../../../server/test/child.ts";
import { install, pack, ROOT } from "../../../test/packages/packed.ts";
import { type Missing, missing } from "../runtime.ts";

/** Written out, so that a new Next.js is met when somebody wants to, not in the middle of something else. */
const NEXT = ["next@16.4.6", "react@19.3.1", "react-dom@19.3.1", "@types/react@19.3.0"] as const;

/** The routes of the app, and the files of this repository that they are. */
const ROUTES = {
  "app/notes/[id]/route.ts": "examples/next-route.ts",
  "app/[...path]/route.ts": "sdk/test/middleware/next-route.ts",
};

/** What a process of Next.js needs to know; vitest's own NODE_ENV would make it build something else. */
export const NEXT_ENV = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NODE_ENV: "production",
  NEXT_TELEMETRY_DISABLED: "1",
} as const;

/** A Next.js app, built as users build it. */
export interface NextApp {
  readonly folder: string;
  /** The program behind the command `next`. */
  readonly program: string;
}

/**
 * Makes a Next.js app with the packed SDK in an empty folder, and builds it. Next.js is not among the dependencies of
 * this repository: it is 340 MB, and compiled for each platform.
 *
 * @returns Why there is none, when npm cannot install Next.js here.
 * @throws Error when anything else fails: that would be ours, or a Next.js that no longer gets on with it.
 */
export async function buildNextApp(folder: string): Promise<NextApp | Missing> {
  const { sdk } = await pack(folder);
  await install(folder, [sdk.tarball]);
  const ours = await Promise.all(["typescript", "@types/node"].map(installedHere));
  try {
    await install(folder, [...NEXT, ...ours]);
  } catch (error) {
    return missing(NEXT[0], error);
  }
  for (const [path, source] of Object.entries(ROUTES)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(join(ROOT, source), join(folder, path));
  }
  // Next.js adds the rest, and checks the routes against the types that it makes for them.
  await writeFile(join(folder, "tsconfig.json"), '{ "compilerOptions": { "strict": true } }');
  const program = join(folder, "node_modules/next/dist/bin/next");
  const build = startChild(process.execPath, [program, "build"], { cwd: folder, env: NEXT_ENV });
  const { code } = await build.ended;
  if (code !== 0) throw new Error(`next build failed:\n${build.stdout()}${build.stderr()}`);
  return { folder, program };
}

/** A package in the version that this repository has of it. */
async function installedHere(name: string): Promise<string> {
  const about = await readFile(join(ROOT, "node_modules", name, "package.json"), "utf8");
  return `${name}@${z.object({ version: z.string() }).parse(JSON.parse(about)).version}`;
}
