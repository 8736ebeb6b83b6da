import { randomInt } from "node:crypto";
import { waitFor } from "../child.ts";
import { type Random, randomOf } from "../simulator/random.ts";
import { createSomebody, type Place, type Somebody, type Told } from "./somebody.ts";

/** Chooses who does what, where, and when it is struck; what happens at once is not in its hands. */
export const SEED = Number(process.env.LATCHKEY_SEED ?? randomInt(2 ** 31));

/** Several people at the same place. */
export interface Crowd {
  readonly people: readonly Somebody[];
  readonly random: Random;
  /** What became of everything so far. */
  readonly told: Told;
  /**
   * Everybody does several things at once, is struck meanwhile, and afterwards all is looked at.
   *
   * @param strike Goes on when as many of the deeds as it names were answered.
   * @param mend Makes right what was struck, once every deed has ended.
   */
  storm(
    strike: (answers: (count: number) => Promise<void>) => Promise<unknown>,
    mend?: () => Promise<unknown>,
  ): Promise<void>;
}

/** @param name Of its own, as that of each of them begins. */
export function gather(place: Omit<Place, "random" | "heard">, name: string, size: number): Crowd {
  let heard = 0;
  const told = { granted: 0, refused: 0, lost: 0, lostAndDone: 0, entries: 0 };
  const people = Array.from({ length: size }, (_, index) =>
    createSomebody(
      {
        ...place,
        random: randomOf(SEED + index),
        heard() {
          heard += 1;
        },
      },
      `${name}-${index}`,
    ),
  );

  return {
    people,
    random: randomOf(SEED - 1),
    told,

    async storm(strike, mend) {
      await Promise.all(people.map((somebody) => somebody.prepare()));
      heard = 0;
      const crowds = Promise.all(people.map((somebody) => somebody.crowd()));
      const answers = (count: number) =>
        waitFor(`${count} answers`, () => (heard < count ? undefined : true), {
          withinMs: 30_000,
          everyMs: 2,
        });
      await strike((count) => answers(count).then(() => {}));
      await crowds;
      await mend?.();
      for (const one of await Promise.all(people.map((somebody) => somebody.settle())))
        for (const key of ["granted", "refused", "lost", "lostAndDone", "entries"] as const)
          told[key] += one[key];
    },
  };
}
