import type { Page } from "playwright-core";
import { waitFor } from "../child.ts";
import { openWorld, type World } from "./world.ts";

/** A world with keys of every kind in `development`, two pages of them in `busy`, none in `empty`. */
export async function openFurnishedWorld(): Promise<World> {
  const world = await openWorld();
  try {
    await furnish(world);
  } catch (error) {
    await world.end();
    throw error;
  }
  return world;
}

async function furnish({ client }: World): Promise<void> {
  const create = (body: Parameters<typeof client.apiKeys.create>[1], environment = "development") =>
    client.apiKeys.create(environment, body);
  const soon = new Date(Date.now() + 1_000).toISOString();
  await create({ type: "secret", description: "Nightly export", expires_at: soon });
  const leaked = await create({ type: "secret", description: "Laptop of an intern" });
  await client.apiKeys.revoke(leaked.id, { reason: "found in a public repository" });
  await create({ type: "public", description: "Map on the web site" });
  const later = new Date(Date.now() + 30 * 86_400_000).toISOString();
  await create({ type: "secret", description: "Billing worker", expires_at: later });
  await create({ type: "secret", description: `https://example.com/${"long-name-".repeat(20)}` });

  await client.environments.create({ name: "Busy", slug: "busy" });
  for (let count = 1; count <= 27; count += 1)
    await create({ type: "secret", description: `Service ${count}` }, "busy");
  await client.environments.create({ name: "Empty", slug: "empty" });
  for (const key of (await client.apiKeys.list({ environment: "empty" })).entries)
    await client.apiKeys.revoke(key.id);
  await waitFor("a key to expire", async () => {
    const filter = { environment: "development", status: "expired" } as const;
    return (await client.apiKeys.list(filter)).entries[0];
  });
}

/** Opens the list of API keys of an environment. */
export async function openKeys(
  page: Page,
  search = "",
  environment = "development",
): Promise<void> {
  await page.goto(`/acme/${environment}/platform/api-keys${search}`);
  await page.getByRole("heading", { name: "API keys" }).waitFor();
}
