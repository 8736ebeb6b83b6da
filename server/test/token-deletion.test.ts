import { connectVerifier } from "@latchkey/sdk";
import { createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { outcomeOf, startWorld, type World } from "./verifiers/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(10);
});
afterAll(() => world?.stop());

const connect = (token: string) => connectVerifier({ url: world.url, token });

test("when a verifier token's deletion returns, an app with it accepts nothing, and another goes on", async () => {
  const operator = createClient({ url: world.url, token: world.first.operator_token });
  const doomed = await operator.tokens.create({ kind: "verifier", name: "Doomed" });
  const { token } = await world.issue();
  const [ended, other] = [await connect(doomed.token), await connect(world.first.verifier_token)];
  try {
    for (const app of [ended, other]) expect(await outcomeOf(app, token)).toBe("accepted");

    const { revocation } = await operator.tokens.delete(doomed.id);
    // The key was warm, and its lease had most of ten seconds left.
    expect(await outcomeOf(ended, token)).toBe("unavailable");
    expect(await outcomeOf(other, token)).toBe("accepted");
    expect(revocation).toMatchObject({ state: "effective", lapsed: 0 });
    await expect(connect(doomed.token)).rejects.toMatchObject({ code: "invalid_token" });
  } finally {
    await Promise.all([ended.close(), other.close()]);
  }
});
