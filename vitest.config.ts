import { defineConfig } from "vitest/config";

/** Tests read the SDK's sources, so that they never run against a stale build. */
export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^@latchkey\/sdk$/,
        replacement: new URL("sdk/src/index.ts", import.meta.url).pathname,
      },
      {
        find: /^@latchkey\/sdk\/(express|fastify|fetch|hono|next|node)$/,
        replacement: `${new URL("sdk/src/middleware/", import.meta.url).pathname}$1.ts`,
      },
      {
        find: /^@latchkey\/sdk\/(.+)$/,
        replacement: `${new URL("sdk/src/", import.meta.url).pathname}$1.ts`,
      },
    ],
  },
  test: {
    include: [
      "sdk/src/**/*.test.ts",
      "sdk/test/**/*.test.ts",
      "server/src/**/*.test.ts",
      "server/test/**/*.test.ts",
      "test/**/*.test.ts",
      "examples/**/*.test.ts",
    ],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } }, // a slow machine may take longer than the usual second
  },
});
