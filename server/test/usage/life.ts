import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@latchkey/sdk/client";
import { createVerifying } from "../nemesis/calls.ts";
import type { Place } from "../nemesis/deployment.ts";

/** Requests under way at one time at each place, and the pause of each before the next. */
const CALLERS = 3;
const PAUSE_MS = 4;

/** What was sent to one place in one life of its process, with keys that nothing else was sent to. */
export interface Life {
  readonly label: string;
  /** A key that is good, and one that was revoked before. */
  readonly accepted: Told;
  readonly revoked: Told;
  /** Sends nothing more; resolves when every request was answered or given up. */
  end(): Promise<void>;
}

/** What the sender knows of the verdicts about one key. */
export interface Told {
  readonly keyId: string;
  readonly token: string;
  readonly status: number;
  /** When each verdict arrived, monotonic ms: these were made, and so counted. */
  readonly arrivedMs: number[];
  /** Requests without an answer: a verdict may have been made. */
  unanswered: number;
  /** Answers that were no verdict on the key, such as 503: not counted. */
  undecided: number;
}

/** Keys for a life; made by a client whose server is well. */
export async function makeKeys(client: Client, description: string) {
  const create = () => client.apiKeys.create("production", { type: "secret", description });
  const [good, dead] = [await create(), await create()];
  await client.apiKeys.revoke(dead.id);
  return { good, dead };
}

/** Sends requests to a place until it is told to end. */
export function live(place: Place, keys: Awaited<ReturnType<typeof makeKeys>>): Life {
  const { good, dead } = keys;
  const told = (key: typeof good, status: number): Told => ({
    keyId: key.id,
    token: key.api_key ?? "",
    status,
    arrivedMs: [],
    unanswered: 0,
    undecided: 0,
  });
  const [accepted, revoked] = [told(good, 200), told(dead, 401)];
  const verifying = createVerifying(place.url);
  let over = false;

  async function call(of: Told): Promise<void> {
    const { status } = await verifying.authenticate(of.token);
    if (status === of.status) of.arrivedMs.push(performance.now());
    else if (status === null) of.unanswered += 1;
    else if (status === 503) of.undecided += 1;
    else throw new Error(`${place.label} answered ${status} instead of ${of.status}`);
  }

  const calling = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let at = caller; !over; at++) {
      await call(at % 5 === 0 ? revoked : accepted);
      await delay(PAUSE_MS);
    }
  });
  return {
    label: place.label,
    accepted,
    revoked,
    async end() {
      over = true;
      await Promise.all(calling).finally(() => verifying.close());
    },
  };
}
