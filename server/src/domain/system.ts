import type { Ambient } from "../ambient.ts";
import type { Origin } from "../store/store.ts";

/** Of what Latchkey does by itself: its audit events name no person, and no address. */
export function bySystem(ambient: Pick<Ambient, "nowMs">): Omit<Origin, "eventId"> {
  return {
    actor: { type: "system", id: "latchkey", name: "Latchkey" },
    atMs: ambient.nowMs(),
    requestId: null,
    address: null,
    userAgent: null,
  };
}
