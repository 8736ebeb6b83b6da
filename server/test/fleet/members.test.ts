import { afterAll, beforeAll, expect, test } from "vitest";
import { type Fleet, startFleet } from "../fleet.ts";
import { type Visitor, visit } from "../http/visitor.ts";
import { OWNER } from "../real-server.ts";
import { nodeOf } from "./probe.ts";

/** Requests of one person that are under way at each node while something is taken from them. */
const AT_ONCE = 4;
/** Requests at each node that begin after it was taken. */
const AFTERWARDS = 40;

const KEYS = "/v1/api_keys?environment=production";

let fleet: Fleet;
let owner: Visitor;
let people = 0;
beforeAll(async () => {
  fleet = await startFleet({
    leaseSeconds: [10, 10, 10],
    env: { LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" },
  });
  owner = visit(nodeOf(fleet, 0).url, fleet.first.account.slug);
  const { email, password } = OWNER;
  const heard = await owner.call("POST /auth/sign-in/email", { email, password });
  expect(heard.status).toBe(200);
});
afterAll(() => fleet?.stop());

const urls = () => fleet.nodes.map(({ url }) => url);

/** The secret of a new invitation. */
async function invited(email: string, role: string): Promise<string> {
  const { body } = await owner.call("POST /v1/invitations", { email, role });
  return body.link.split("#")[1];
}

/** Somebody who has come by an invitation, by way of the second node. */
async function joined(role: string): Promise<{ who: Visitor; id: string }> {
  people += 1;
  const email = `person-${people}@example.com`;
  const secret = await invited(email, role);
  const who = visit(nodeOf(fleet, 1).url, fleet.first.account.slug);
  const person = { secret, name: `Person ${people}`, password: OWNER.password };
  expect((await who.call("POST /v1/invitations/accept", person)).status).toBe(200);
  const { body } = await who.call("GET /v1/me");
  return { who, id: body.person.id };
}

/**
 * Has somebody send a request over and over at every node while `take` takes something from them.
 *
 * @returns The statuses of the requests that began after `take` had resolved, and of those before.
 */
async function statusesAround(
  who: Visitor,
  ask: (at: Visitor) => ReturnType<Visitor["call"]>,
  take: () => Promise<void>,
): Promise<{ before: number[]; after: number[] }> {
  const said = { before: [] as number[], after: [] as number[] };
  let isTaken = false;
  let heardOnce = (): void => {};
  const everybodyAsks = new Promise<void>((resolve) => {
    let waiting = urls().length * AT_ONCE;
    heardOnce = () => {
      waiting -= 1;
      if (waiting === 0) resolve();
    };
  });
  const asking = urls().flatMap((url) =>
    Array.from({ length: AT_ONCE }, async () => {
      const at = who.at(url);
      for (let left = AFTERWARDS / AT_ONCE; left > 0; ) {
        const beganAfter = isTaken;
        const { status } = await ask(at);
        said[beganAfter ? "after" : "before"].push(status);
        if (beganAfter) left -= 1;
        else heardOnce();
      }
    }),
  );
  await everybodyAsks;
  await take();
  isTaken = true;
  await Promise.all(asking);
  return said;
}

test("whoever is removed is refused on every node from the moment the call returns, under load", async () => {
  const { who, id } = await joined("admin");
  const { before, after } = await statusesAround(
    who,
    (at) => at.call("GET /v1/members"),
    async () => {
      expect((await owner.call(`DELETE /v1/members/${id}`)).status).toBe(200);
    },
  );
  expect(before.filter((status) => status === 200).length).toBeGreaterThan(0);
  expect(before.every((status) => status === 200 || status === 404)).toBe(true);
  expect(after).toEqual(Array(urls().length * AFTERWARDS).fill(404));
});

test("whoever is demoted changes nothing any more on any node from the moment the call returns", async () => {
  const { who, id } = await joined("admin");
  const { before, after } = await statusesAround(
    who,
    (at) => at.call(`POST ${KEYS}`, { type: "public" }),
    async () => {
      const demoted = await owner.at(nodeOf(fleet, 2).url).call(`PATCH /v1/members/${id}`, {
        role: "support",
      });
      expect([demoted.status, demoted.body.role]).toEqual([200, "support"]);
    },
  );
  expect(after).toEqual(Array(urls().length * AFTERWARDS).fill(403));
  const made = before.filter((status) => status === 201).length;
  expect(made).toBeGreaterThan(0);
  const member = await owner.call(`GET /v1/members/${id}`);
  expect(member.body.active_api_keys).toBe(made);
});

test("an invitation that is accepted on all nodes at once makes one member", async () => {
  const secret = await invited("everywhere@example.com", "member");
  const body = { secret, name: "Everywhere", password: OWNER.password };
  const answers = await Promise.all(
    [...urls(), ...urls()].map((url) => visit(url).call("POST /v1/invitations/accept", body)),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404, 404, 404, 404]);
  const { entries } = (await owner.call("GET /v1/members?page_size=200")).body;
  const found = entries.filter(({ email }: { email: string }) => email.startsWith("everywhere@"));
  expect(found).toHaveLength(1);
});

test("owners who all leave at once, each on another node, leave one", async () => {
  const more = await Promise.all([joined("owner"), joined("owner")]);
  const me = await owner.call("GET /v1/me");
  const all = [{ who: owner, id: me.body.person.id }, ...more];
  const answers = await Promise.all(
    all.map(({ who, id }, index) =>
      who.at(nodeOf(fleet, index).url).call(`DELETE /v1/members/${id}`),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 409]);
  const token = fleet.first.service_token;
  const Authorization = `Bearer ${token}`;
  const listed = await visit(nodeOf(fleet, 0).url).call("GET /v1/members", undefined, {
    Authorization,
  });
  const roles = listed.body.entries.map(({ role }: { role: string }) => role);
  expect(roles.filter((role: string) => role === "owner")).toHaveLength(1);
});
