import { afterAll, beforeAll, expect, test } from "vitest";
import { OWNER, type RealServer, setUp, startServer, temporaryFolder } from "./real-server.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: RealServer;
beforeAll(async () => {
  folder = await temporaryFolder();
  await setUp({ dataFolder: folder.path });
  server = await startServer({ dataFolder: folder.path });
});
afterAll(async () => {
  await server?.end("SIGTERM");
  await folder?.remove();
});

const post = (path: string, index: number, body: object) =>
  fetch(server.url + path, {
    method: "POST",
    headers: {
      Origin: server.url,
      "Content-Type": "application/json",
      "X-Forwarded-For": `198.51.100.${index}`,
      Forwarded: `for=198.51.100.${index}`,
      "X-Real-IP": `198.51.100.${index}`,
      "X-Latchkey-Caller": `198.51.100.${index}`,
    },
    body: JSON.stringify(body),
  });

test("without a trusted proxy no header makes a caller somebody else: ten of each kind in a minute", async () => {
  const KINDS: Record<string, (index: number) => object> = {
    "/auth/sign-in/email": (index) => ({ email: `p${index}@example.com`, password: "wrong" }),
    "/auth/reset-password": () => ({ token: "nonsense", password: "a wrong password" }),
  };
  for (const [path, bodyOf] of Object.entries(KINDS)) {
    const statuses: number[] = [];
    for (let index = 0; index < 12; index++)
      statuses.push((await post(path, index, bodyOf(index))).status);
    expect([path, ...statuses]).toEqual([path, ...Array(10).fill(401), 429, 429]);
  }
  const { email, password } = OWNER;
  expect((await post("/auth/sign-in/email", 99, { email, password })).status).toBe(429);
});

test("an unknown path below /auth is nowhere, whatever the method", async () => {
  for (const path of ["/auth", "/auth/", "/auth/ok", "/auth/error", "/auth/sign-up/email"])
    for (const method of ["GET", "POST"]) {
      const { status } = await fetch(server.url + path, {
        method,
        headers: { Origin: server.url, Accept: "application/json" },
      });
      expect([path, method, status]).toEqual([path, method, 404]);
    }
});
