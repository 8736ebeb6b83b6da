import { afterAll, beforeAll, expect, test } from "vitest";
import { expectGoodLooks, sidewaysScrollers } from "./looks.ts";
import { button, dialog, keyRow, openKeyMenu } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await world.client.apiKeys.create("development", { type: "secret", description: "Billing" });
});
afterAll(() => world?.end());

test("every answer of the page has a nonce of its own under a policy without holes", async () => {
  const nonces = new Set<string>();
  for (const path of ["/", world.at("development"), "/sign-in", "/setup"]) {
    const answer = await fetch(world.server.url + path);
    const policy = answer.headers.get("Content-Security-Policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    for (const directive of ["base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"])
      expect(policy).toContain(directive);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    const [, script, , style] =
      /script-src 'self' 'nonce-([^']+)'(.*)style-src 'self' 'nonce-([^']+)'/.exec(policy) ?? [];
    expect(script).toBe(style);
    const html = await answer.text();
    expect(html).not.toContain("__CSP_NONCE__");
    for (const [tag] of html.matchAll(/<(?:script|style)\b[^>]*>/g))
      expect(tag).toContain(`nonce="${script}"`);
    expect(html).not.toMatch(/\son[a-z]+=|\sstyle=/);
    nonces.add(script ?? "");
  }
  expect(nonces.size).toBe(4);
});

test("every script and style of the page comes from its own origin, and is kept for ever", async () => {
  const { page, complaints } = await world.visit();
  const loaded: { url: string; kind: string; kept: string | undefined }[] = [];
  page.on("response", (response) => {
    const url = response.url();
    const kind = response.request().resourceType();
    loaded.push({ url, kind, kept: response.headers()["cache-control"] });
  });
  await page.goto(world.at("development"));
  await keyRow(page, "Billing").waitFor();
  await button(page, "Create API key").click();
  await dialog(page).waitFor();
  for (const { url } of loaded) expect(url).toMatch(new RegExp(`^(?:${world.server.url}/|data:)`));
  const files = loaded.filter(({ kind }) => kind === "script" || kind === "stylesheet");
  expect(files.length).toBeGreaterThanOrEqual(2);
  for (const { url, kept } of files) {
    expect(url).toMatch(/\/assets\/[\w-]+-[\w-]{8}\.(?:js|css)$/);
    expect(kept).toBe("public, max-age=31536000, immutable");
  }
  for (const { kept } of loaded.filter(({ url }) => url.includes("/v1/")))
    expect(kept).toMatch(/no-store/);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("what the policy does not name does not run, and these tests would hear of it", async () => {
  const { page, complaints } = await world.visit();
  await page.goto(world.at("development"));
  await keyRow(page, "Billing").waitFor();
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'owned'";
    document.body.append(script);
  });
  await expect.poll(() => complaints.join()).toContain("policy: script-src-elem refused inline");
  expect(await page.title()).not.toBe("owned");
  await page.context().close();
});

test("nothing moves for people who asked for that", async () => {
  const { page } = await world.visit({ reducedMotion: "reduce" });
  await page.goto(world.at("development"));
  await keyRow(page, "Billing").waitFor();
  await page.evaluate(() => {
    const moved: string[] = [];
    const note = ({ target, propertyName }: TransitionEvent): void => {
      if (target instanceof Element && !/color/.test(propertyName))
        moved.push(`${propertyName} of ${target.className}`);
    };
    document.addEventListener("transitionrun", note, true);
    Object.assign(window, { moved });
  });
  await openKeyMenu(page, "Billing");
  await page.getByRole("menuitem", { name: "Revoke API key" }).click();
  await button(dialog(page), "Cancel").click();
  await dialog(page).waitFor({ state: "hidden" });
  await page.getByRole("radiogroup", { name: "Status" }).getByText("Revoked").click();
  await page.getByText("No revoked API keys").waitFor();
  expect(await page.evaluate(() => Reflect.get(window, "moved"))).toEqual([]);
  await page.context().close();
});

test("at 200 % zoom keys can be created and revoked, and nothing is cut off", async () => {
  const { page, complaints } = await world.visit({
    viewport: { width: 640, height: 400 },
    deviceScaleFactor: 2,
  });
  await page.goto(world.at("development"));
  await keyRow(page, "Billing").waitFor();
  await expectGoodLooks(page, "zoomed keys");
  await button(page, "Create API key").click();
  await dialog(page).getByLabel("Description").fill("Zoomed");
  expect(await sidewaysScrollers(page)).toEqual([]);
  await button(dialog(page), "Create").click();
  await button(dialog(page), "Done").click();
  await openKeyMenu(page, "Zoomed");
  await page.getByRole("menuitem", { name: "Revoke API key" }).click();
  await expectGoodLooks(page, "zoomed revocation");
  await button(dialog(page), "Revoke API key").click();
  await dialog(page).getByText("Refused everywhere").waitFor();
  await button(dialog(page), "Done").click();
  await keyRow(page, "Zoomed").waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("text set twice as large, as some people need it, still fits a phone", async () => {
  const { page } = await world.visit({ viewport: { width: 375, height: 667 } });
  await page.goto(world.at("development"));
  await keyRow(page, "Billing").waitFor();
  await page.evaluate(() => {
    document.documentElement.style.fontSize = "200%";
  });
  expect(await sidewaysScrollers(page)).toEqual([]);
  await page.context().close();
});
