import { Failure } from "@latchkey/sdk/core";
import type { Ambient } from "../ambient.ts";
import {
  type Asset,
  type DashboardFiles,
  type Encoding,
  findDashboard,
  readDashboard,
} from "./dashboard-files.ts";

/** Stands in the built page wherever the nonce of an answer belongs. */
const NONCE_MARK = "__CSP_NONCE__";

/** Bytes of a nonce: 128 bits, as CSP asks for (CSP Level 3, section 7.1). */
const NONCE_BYTES = 16;

/** First parts of paths that are somebody else's: what is missing there is missing, and no page. */
const OTHERS = /^\/(?:v1|auth|docs|openapi\.json|healthz|readyz)(?:\/|$)/;

/** Answers for the dashboard: its files, and its page for every other address. @throws Failure for what it has not. */
export type Dashboard = (request: Request) => Response;

/**
 * Opens the dashboard that was built beside the server; without one, its addresses say how to build it.
 *
 * @param options `https` when browsers reach us that way: they are then told to stay with it.
 */
export async function openDashboard(options: {
  readonly ambient: Pick<Ambient, "randomBytes">;
  readonly https: boolean;
}): Promise<Dashboard> {
  const folder = findDashboard();
  if (folder === null)
    return () => {
      throw new Failure("resource_missing", "The dashboard is not built: npm run build makes it.");
    };
  return createDashboard(await readDashboard(folder), options);
}

/** Serves a dashboard from memory. */
export function createDashboard(
  { page, assets }: DashboardFiles,
  { ambient, https }: { readonly ambient: Pick<Ambient, "randomBytes">; readonly https: boolean },
): Dashboard {
  const pieces = page.split(NONCE_MARK);
  const secured = https ? { "Strict-Transport-Security": "max-age=31536000" } : {};

  return (request) => {
    const { pathname } = new URL(request.url);
    if (OTHERS.test(pathname)) throw missing();
    if (request.method !== "GET" && request.method !== "HEAD")
      throw new Failure("method_not_allowed", "This path takes GET.");
    const asset = assets.get(pathname);
    if (asset !== undefined) return answerAsset(request, pathname, asset, secured);
    // No page of ours has a dot in its last part: a file was meant, and a page in its place would break quietly.
    if (/\.[^/]*$/.test(pathname)) throw missing();

    const nonce = Buffer.from(ambient.randomBytes(NONCE_BYTES)).toString("base64");
    return new Response(request.method === "HEAD" ? null : pieces.join(nonce), {
      headers: { ...PAGE_HEADERS, ...secured, "Content-Security-Policy": policy(nonce) },
    });
  };
}

const ASSET_HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
} as const;

const PAGE_HEADERS = {
  ...ASSET_HEADERS,
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "X-Frame-Options": "DENY",
  "Permissions-Policy":
    "camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-get=()",
} as const;

/** Scripts and styles run from our origin or with this answer's nonce; nothing frames us, nothing is sent elsewhere. */
function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function answerAsset(
  request: Request,
  pathname: string,
  asset: Asset,
  secured: Readonly<Record<string, string>>,
): Response {
  const encoding = chooseEncoding(request.headers.get("Accept-Encoding"), asset);
  const body = asset.bodies[encoding] ?? asset.bodies.identity;
  const etag = `"${asset.digest.slice(0, 22)}-${encoding}"`;
  const headers = new Headers({
    ...ASSET_HEADERS,
    ...secured,
    // The build puts a digest of the content into the names under /assets.
    "Cache-Control": pathname.startsWith("/assets/")
      ? "public, max-age=31536000, immutable"
      : "no-cache",
    ETag: etag,
    Vary: "Accept-Encoding",
  });
  if (matches(request.headers.get("If-None-Match"), etag))
    return new Response(null, { status: 304, headers });
  headers.set("Content-Type", asset.contentType);
  headers.set("Content-Length", String(body.byteLength));
  if (encoding !== "identity") headers.set("Content-Encoding", encoding);
  return new Response(request.method === "HEAD" ? null : body, { headers });
}

/** The smallest body that the caller takes; `q=0` refuses one (RFC 9110, section 12.5.3). */
function chooseEncoding(accepted: string | null, asset: Asset): Encoding {
  const takes = new Set(
    (accepted ?? "")
      .toLowerCase()
      .split(",")
      .map((part) => part.split(";").map((piece) => piece.trim()))
      .filter(([, quality]) => quality === undefined || !/^q=0(?:\.0*)?$/.test(quality))
      .map(([name]) => name),
  );
  if (takes.has("br") && asset.bodies.br !== undefined) return "br";
  if (takes.has("gzip") && asset.bodies.gzip !== undefined) return "gzip";
  return "identity";
}

function matches(header: string | null, etag: string): boolean {
  if (header === null) return false;
  return header
    .split(",")
    .map((tag) => tag.trim().replace(/^W\//, ""))
    .some((tag) => tag === etag || tag === "*");
}

function missing(): Failure {
  return new Failure("resource_missing", "There is nothing at this address.");
}
