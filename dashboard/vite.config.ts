import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = "http://127.0.0.1:4400";

/** The server puts a fresh nonce where `__CSP_NONCE__` stands, in each answer of index.html. */
export default defineConfig({
  plugins: [react()],
  html: { cspNonce: "__CSP_NONCE__" },
  resolve: {
    alias: {
      "@latchkey/sdk/client": fileURLToPath(new URL("../sdk/src/client.ts", import.meta.url)),
    },
  },
  build: { outDir: "dist", assetsInlineLimit: 0, chunkSizeWarningLimit: 1200 },
  server: { proxy: { "/v1": server, "/auth": server } },
});
