import { expect, test } from "vitest";
import { assembleWith } from "./assembly.ts";
import { leakyLookup } from "./flawed-lookup.ts";
import { FLAWS } from "./flaws.ts";
import { play } from "./world.ts";

/** A flaw that so many worlds do not show would get past the simulator. */
const SEEDS_MAX = 2_000;

test.each(Object.entries(FLAWS))(
  "it is noticed when %s",
  async (name, flaw) => {
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const { violations } = await play({ seed, flaw });
      if (violations[0] === undefined) continue;
      process.stdout.write(`${name}: seed ${seed}, ${violations[0].kind}\n`);
      return;
    }
    expect.unreachable(`no violation in ${SEEDS_MAX} worlds`);
  },
  600_000,
);

test("what is noticed is the missing taint: with all of them a second cache lets nothing in", async () => {
  const all = ["key", "environment", "account"] as const;
  const flaw = {
    assemble: assembleWith(() => ({ lookup: (lookup) => leakyLookup(lookup, all) })),
  };
  for (let seed = 1; seed <= 150; seed++)
    expect((await play({ seed, flaw })).violations, `seed ${seed}`).toEqual([]);
}, 600_000);
