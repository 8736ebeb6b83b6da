import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Bounds of a build that is kept in memory; ours has a dozen files and about 1 MiB. */
const FILES_MAX = 500;
const BYTES_MAX = 32 * 1024 * 1024;

/** 9 of 11: the last two steps save a few per cent and cost seconds at each start. */
const BROTLI_QUALITY = 9;

/** Smaller files gain nothing from compression. */
const COMPRESSED_FROM_BYTES = 1024;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/** What compresses well; the rest is compressed already. */
const COMPRESSIBLE = /^(?:text\/|application\/(?:json|manifest)|image\/svg)/;

export type Encoding = "br" | "gzip" | "identity";

/** One file of the built dashboard, in memory. */
export interface Asset {
  readonly contentType: string;
  /** Digest of the plain bytes; each encoding has an ETag of its own (RFC 9110, section 8.8.3.3). */
  readonly digest: string;
  /** `br` and `gzip` are there when they are worth it. */
  readonly bodies: { readonly identity: Uint8Array } & Partial<
    Readonly<Record<Encoding, Uint8Array>>
  >;
}

/** The built dashboard: its page, and every other file by the path it is served at. */
export interface DashboardFiles {
  readonly page: string;
  readonly assets: ReadonlyMap<string, Asset>;
}

/**
 * Finds the built dashboard: beside the server's own code when installed as a package, else in the workspace.
 *
 * @returns Its folder, or `null` when it was not built.
 */
export function findDashboard(): string | null {
  const packed = fileURLToPath(new URL("../dashboard", import.meta.url));
  if (existsSync(join(packed, "index.html"))) return packed;
  try {
    const manifest = createRequire(import.meta.url).resolve("@latchkey/dashboard/package.json");
    const built = join(dirname(manifest), "dist");
    return existsSync(join(built, "index.html")) ? built : null;
  } catch {
    return null; // a package without the dashboard is whole: only its pages are missing
  }
}

/**
 * Reads a built dashboard into memory, compressed ahead of time. No request ever becomes a path on disk: what is not in
 * this map does not exist.
 *
 * @throws Error when it is larger than a dashboard can be.
 */
export async function readDashboard(folder: string): Promise<DashboardFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  if (paths.length > FILES_MAX) throw new Error(`${folder} has more than ${FILES_MAX} files`);

  const assets = new Map<string, Asset>();
  let page = "";
  let bytes = 0;
  for (const path of paths) {
    const content = await readFile(path);
    bytes += content.byteLength;
    if (bytes > BYTES_MAX) throw new Error(`${folder} has more than ${BYTES_MAX} bytes`);
    const name = `/${relative(folder, path).split(sep).join("/")}`;
    if (name === "/index.html") page = content.toString("utf8");
    else assets.set(name, await asset(name, content));
  }
  return { page, assets };
}

async function asset(name: string, content: Buffer): Promise<Asset> {
  const contentType = CONTENT_TYPES[extname(name)] ?? "application/octet-stream";
  const digest = hash("sha256", content, "base64url");
  const plain = { contentType, digest, bodies: { identity: content } };
  if (!COMPRESSIBLE.test(contentType) || content.byteLength < COMPRESSED_FROM_BYTES) return plain;
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(content, {
      params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
    }),
    promisify(gzip)(content),
  ]);
  return { ...plain, bodies: { identity: content, br, gzip: zipped } };
}
