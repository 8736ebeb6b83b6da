/**
 * API keys for route handlers of Next.js: `export const GET = apiKeyAuth({ verifier })((request, { params, verdict }) => …)`.
 * For the Node.js runtime, which is the default; the verifier holds a connection, which the Edge runtime cannot.
 */
export { type ApiKeyAuthOptions, apiKeyAuth } from "./fetch.ts";
