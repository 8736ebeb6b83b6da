import { createClient } from "@latchkey/sdk/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OWNER, type RealServer, startServer } from "../real-server.ts";
import { makePlace, type Place } from "./world.ts";

let place: Place;
let server: RealServer | undefined;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(async () => {
  await server?.end("SIGKILL");
  server = undefined;
  await place?.remove();
});

function post(url: string, path: string, body: object): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: url },
    body: JSON.stringify(body),
  });
}

const secretOf = (link: string | undefined): string => new URL(link ?? "").hash.slice(1);

test("sign-ins and links of the backup's time open nothing after a restore", async () => {
  server = await startServer({ dataFolder: place.dataFolder });
  const before = server.url;
  const signedIn = await post(before, "/auth/sign-in/email", {
    email: OWNER.email,
    password: OWNER.password,
  });
  const cookie = signedIn.headers
    .getSetCookie()
    .map((one) => one.split(";")[0])
    .join("; ");
  const me = (url: string) => fetch(`${url}/v1/me`, { headers: { Cookie: cookie } });
  expect((await me(before)).status).toBe(200);
  const client = createClient({ url: before, token: place.first.service_token });
  const { link } = await client.invitations.create({ email: "grace@example.com", role: "admin" });
  const operator = createClient({ url: before, token: place.first.operator_token });
  const guest = { email: "guest@example.com", role: "member" } as const;
  const { url: signInLink } = await operator.accounts.createSignInLink("acme", guest);
  const reset = await operator.passwordResetLinks.create({ email: OWNER.email });
  expect((await place.run(["backup", place.path("backup.db")])).code).toBe(0);
  expect((await post(before, "/v1/invitations/open", { secret: secretOf(link) })).status).toBe(200);
  await server.end("SIGKILL");

  expect((await place.run(["restore", place.path("backup.db")])).code).toBe(0);
  server = await startServer({ dataFolder: place.dataFolder });
  const { url } = server;
  expect((await me(url)).status).toBe(401);
  const invitation = { secret: secretOf(link) };
  expect((await post(url, "/v1/invitations/open", invitation)).status).toBe(404);
  const opened = await post(url, "/v1/sign_in_links/open", { secret: secretOf(signInLink) });
  expect(opened.status).toBeGreaterThanOrEqual(400);
  expect(opened.headers.getSetCookie()).toEqual([]);
  const chosen = { token: secretOf(reset.url), password: "another password of some length" };
  expect((await post(url, "/auth/reset-password", chosen)).status).toBeGreaterThanOrEqual(400);
  const again = { email: OWNER.email, password: OWNER.password };
  expect((await post(url, "/auth/sign-in/email", again)).status).toBe(200);
}, 60_000);
