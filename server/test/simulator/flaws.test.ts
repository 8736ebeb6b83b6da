import { expect, test } from "vitest";
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
