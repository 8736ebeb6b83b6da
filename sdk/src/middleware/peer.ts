/** What servers of web standards pass beside a request: Deno, Bun, and Hono's on Node. */
interface Passed {
  readonly remoteAddr?: { readonly hostname?: unknown };
  requestIP?(request: Request): { readonly address?: unknown } | null;
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: unknown } };
}

/** The address at the other end of a request's connection, where its server tells. */
export function peerAddress(passed: unknown, request: Request): string | undefined {
  if (typeof passed !== "object" || passed === null) return undefined;
  const server: Passed = passed;
  try {
    const address =
      server.incoming?.socket?.remoteAddress ??
      server.remoteAddr?.hostname ??
      server.requestIP?.(request)?.address;
    return typeof address === "string" ? address : undefined;
  } catch {
    return undefined; // what looked like a server was none
  }
}
