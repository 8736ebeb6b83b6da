import type { StoreClient } from "./link.ts";
import type { MemoryStore, Subject } from "./memory-store.ts";
import type { Random } from "./random.ts";
import type { RevokeStatement } from "./store-access.ts";
import type { Timeline } from "./timeline.ts";

/** What a flawed statement has at hand. */
export interface StatementSurroundings {
  readonly client: StoreClient;
  readonly memory: MemoryStore;
  readonly timeline: Timeline;
  readonly random: Random;
}

/** Takes the seq in one transaction and writes the change in a later one, so that seqs do not become visible in order. */
export function revokeOutsideTheLock(): (surroundings: StatementSurroundings) => RevokeStatement {
  return ({ client, memory, timeline, random }) => {
    return (subject: Subject, by) =>
      client.begin(`revoke ${subject.kind} ${subject.id}`, (done) => {
        const known = memory.revocationOf(subject);
        if (known !== undefined) return done({ first: false, revocation: known });
        const seq = memory.takeSeq();
        timeline.after(random.between(0, random.chance(0.3) ? 400 : 20), () => {
          const other = memory.revocationOf(subject);
          if (other !== undefined) done({ first: false, revocation: other });
          else done({ first: true, revocation: memory.writeRevocation(subject, seq, by) });
        });
      });
  };
}
