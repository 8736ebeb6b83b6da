import type { Role } from "@latchkey/sdk/client";
import type { BrowserContext, Page } from "playwright-core";
import { secretOf } from "../http/visitor.ts";
import { button } from "./parts.ts";
import type { World } from "./world.ts";

/** Somebody whom a test lets join an account. */
export interface Newcomer {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  /** A browser in which they are signed in. */
  readonly context: BrowserContext;
}

const PASSWORD = "another password of some length";

/** Invites somebody new past the dashboard, and lets them accept in a browser of their own. */
export async function joinAs(world: World, name: string, role: Role): Promise<Newcomer> {
  // As the owner: only owners make owners.
  const owner = await world.profile();
  const answer = await owner.request.post("/v1/invitations", {
    data: { email: addressOf(name), role },
    headers: { Origin: world.server.url, "Latchkey-Account": "acme" },
  });
  if (!answer.ok()) throw new Error(`${name} is not invited: ${await answer.text()}`);
  const { link } = await answer.json();
  await owner.close();
  return acceptAs(world, name, link);
}

/** Lets them accept an invitation of their address. */
export async function acceptAs(
  world: World,
  name: string,
  link: string | undefined,
): Promise<Newcomer> {
  const context = await world.profile({ signedIn: false });
  const answer = await context.request.post("/v1/invitations/accept", {
    data: { secret: secretOf(link), name, password: PASSWORD },
    headers: { Origin: world.server.url },
  });
  if (!answer.ok()) throw new Error(`${name} did not join: ${await answer.text()}`);
  return { name, email: addressOf(name), password: PASSWORD, context };
}

const addressOf = (name: string): string => `${name.toLowerCase()}@example.com`;

/** Fills in the sign-in page that is open, and sends it. */
export async function signInOn(
  page: Page,
  { email, password }: Pick<Newcomer, "email" | "password">,
): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button(page, "Sign in").click();
}

/** Sends what somebody's browser would, for the account `acme`. */
export const asks = async (context: BrowserContext, path: string): Promise<number> =>
  (await context.request.get(path, { headers: { "Latchkey-Account": "acme" } })).status();
