import { afterAll, beforeAll, expect, test } from "vitest";
import { latchkey } from "./command-line.ts";
import { visit } from "./http/visitor.ts";
import { startTestService } from "./service.ts";

const PASSWORD = "correct horse battery staple";

let service: Awaited<ReturnType<typeof startTestService>>;
let env: Record<string, string>;
beforeAll(async () => {
  service = await startTestService();
  env = {
    LATCHKEY_URL: service.url,
    LATCHKEY_SERVICE_TOKEN: service.provisioned.service_token ?? "",
  };
});
afterAll(() => service.close());

const run = (line: string, seat: object = {}) => latchkey(line.split(" "), { env, ...seat });

test("an invitation is a link alone on standard output, which makes a member, who is removed", async () => {
  const made = await run("invitations create --email bea@example.com --role admin");
  expect([made.code, made.stdout]).toEqual([
    0,
    expect.stringMatching(/^http:\S+\/invitation#[\w-]{32}\n$/),
  ]);
  expect(made.stderr).toMatch(/^bea@example\.com is invited as admin until /);
  expect(made.stderr).not.toContain("#");
  expect((await run("invitations list")).stdout).toMatch(
    /bea@example\.com +admin +no +First token/,
  );
  const bea = visit(service.url, "acme");
  const secret = made.stdout.trim().split("#")[1];
  await bea.call("POST /v1/invitations/accept", { secret, name: "Bea", password: PASSWORD });
  expect((await run("invitations list")).stdout).toBe("Nobody is invited.\n");
  const members = JSON.parse((await run("members list --json")).stdout);
  const { id } = members.find(({ name }: { name: string }) => name === "Bea");
  await bea.call("POST /v1/api_keys?environment=production", { type: "secret" });
  const updated = await run(`members update ${id} --role support`);
  expect([updated.code, updated.stdout]).toEqual([0, "Bea (bea@example.com) is support.\n"]);
  expect((await run(`members remove ${id}`)).code).toBe(2);
  const kept = await run(`members remove ${id}`, { answer: "n\n" });
  expect(kept.code).toBe(1);
  expect(kept.stderr).toContain("Remove Bea (bea@example.com, support)? 1 API key");
  expect((await bea.call("GET /v1/account")).status).toBe(200);
  const removed = await run(`members remove ${id} --yes`);
  expect(removed.stdout).toMatch(/^Removed Bea \(bea@example\.com\)\. 1 API key that they created/);
  expect(removed.stderr).toContain(`latchkey keys list --created-by ${id}`);
  expect((await bea.call("GET /v1/account")).status).toBe(404);
  expect((await run(`keys list --created-by ${id}`)).stdout).toMatch(/secret +.*production/);
  expect((await run("keys list")).code).toBe(2);
  expect((await run(`members remove ${id} --yes`)).code).toBe(4);
});

test("an invitation is sent again and cancelled, and what may not be done says so by its code", async () => {
  const args = "invitations create --email cleo@example.com --role member --json";
  const { id, link } = JSON.parse((await run(args)).stdout);
  const again = await run(`invitations send ${id}`);
  expect(again.stdout).not.toContain(link);
  const cancelled = await run(`invitations cancel ${id}`);
  expect(cancelled.stdout).toBe("Cancelled the invitation of cleo@example.com.\n");
  expect((await run(`invitations cancel ${id}`)).code).toBe(4);
  expect((await run("invitations create --email o@example.com --role owner")).code).toBe(5);
  expect((await run("invitations create --email o@example.com --role king")).code).toBe(2);
});
