import { createClient } from "@latchkey/sdk/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { secretOf, visit } from "../http/visitor.ts";
import type { Heard } from "../http/world.ts";
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

const refusalOf = ({ status, body }: Heard) => [status, body.code];

test("sign-ins and links of the backup's time open nothing after a restore", async () => {
  server = await startServer({ dataFolder: place.dataFolder });
  const before = server.url;
  const ada = visit(before);
  const { email, password } = OWNER;
  await ada.call("POST /auth/sign-in/email", { email, password });
  expect((await ada.call("GET /v1/me")).status).toBe(200);
  const client = createClient({ url: before, token: place.first.service_token });
  const { link } = await client.invitations.create({ email: "grace@example.com", role: "admin" });
  const operator = createClient({ url: before, token: place.first.operator_token });
  const guest = { email: "guest@example.com", role: "member" } as const;
  const { url: signInLink } = await operator.accounts.createSignInLink("acme", guest);
  const reset = await operator.passwordResetLinks.create({ email: OWNER.email });
  expect((await place.run(["backup", place.path("backup.db")])).code).toBe(0);
  const invitation = { secret: secretOf(link) };
  expect((await visit(before).call("POST /v1/invitations/open", invitation)).status).toBe(200);
  await server.end("SIGKILL");

  expect((await place.run(["restore", place.path("backup.db")])).code).toBe(0);
  server = await startServer({ dataFolder: place.dataFolder });
  const { url } = server;
  expect((await ada.at(url).call("GET /v1/me")).status).toBe(401);
  const stranger = visit(url);
  expect((await stranger.call("POST /v1/invitations/open", invitation)).status).toBe(404);
  const secret = secretOf(signInLink);
  const opened = await stranger.call("POST /v1/sign_in_links/open", { secret });
  expect(refusalOf(opened)).toEqual([404, "resource_missing"]);
  expect(opened.headers.getSetCookie()).toEqual([]);
  const chosen = { token: secretOf(reset.url), password: "another password of some length" };
  const reused = await stranger.call("POST /auth/reset-password", chosen);
  expect(refusalOf(reused)).toEqual([401, "invalid_credentials"]);
  const again = await stranger.call("POST /auth/sign-in/email", { email, password });
  expect(again.status).toBe(200);
}, 60_000);
