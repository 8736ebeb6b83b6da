// app/notes/[id]/route.ts of a Next.js app: `npm i @latchkey/sdk`, and LATCHKEY_VERIFIER_TOKEN in its environment.
import { type ConnectedVerifier, connectVerifier } from "@latchkey/sdk";
import { apiKeyAuth } from "@latchkey/sdk/next";

// Connects at the first request, since `next build` loads this file too; once a process, since `next dev` loads it often.
const kept = globalThis as { latchkey?: Promise<ConnectedVerifier> | undefined };

function connected(): Promise<ConnectedVerifier> {
  kept.latchkey ??= connectVerifier({
    url: process.env.LATCHKEY_URL ?? "http://127.0.0.1:4400",
    token: process.env.LATCHKEY_VERIFIER_TOKEN ?? "",
    connectTimeoutMs: 2_000,
  }).catch((error) => {
    kept.latchkey = undefined; // the next request tries again
    throw error;
  });
  return kept.latchkey;
}

const protect = apiKeyAuth({
  verifier: { verify: async (...asked) => (await connected()).verify(...asked) },
  onFailure: (failure) => console.error(failure.message, failure.cause),
});

export const GET = protect<{ params: Promise<{ id: string }> }>(
  async (_request, { params, verdict }) => {
    const { account, environment } = verdict.key;
    return Response.json({
      id: (await params).id,
      account: account.slug,
      environment: environment.slug,
    });
  },
);
