import { deletedBefore, endOfEnvironment } from "./absence.ts";
import { recordAudit } from "./audit.ts";
import { recordRevocation } from "./changes.ts";
import { type Database, deed, type Engine, type Lanes, untilCertain } from "./engine.ts";
import { claimOnce } from "./idempotency.ts";
import { latestEnd, soonest } from "./key-end.ts";
import { readMaxAge } from "./key-max-age.ts";
import { selectLivingEnvironments } from "./living.ts";
import { type PageBound, readPage } from "./paging.ts";
import { insertEnvironment } from "./provisioning.ts";
import { parseEnvironment } from "./rows.ts";
import type { AccountStore, Environment, Origin } from "./store.ts";

type EnvironmentStore = Pick<
  AccountStore,
  | "listEnvironments"
  | "createEnvironment"
  | "findEnvironment"
  | "renameEnvironment"
  | "deleteEnvironment"
>;

/** The environments of one account. */
export function environmentStore(
  lanes: Lanes,
  engine: Engine,
  accountId: string,
): EnvironmentStore {
  const db = lanes.requests;
  return {
    listEnvironments: (page) =>
      readPage(page, {
        async hasEntry(id) {
          const query = selectLivingEnvironments(db, accountId).where("environment.id", "=", id);
          return (await query.executeTakeFirst()) !== undefined;
        },
        async read({ olderThan, newerThan }: PageBound, limit) {
          let query = selectLivingEnvironments(db, accountId);
          if (olderThan !== undefined) query = query.where("environment.id", "<", olderThan);
          if (newerThan !== undefined) query = query.where("environment.id", ">", newerThan);
          const rows = await query
            .orderBy("environment.id", newerThan === undefined ? "desc" : "asc")
            .limit(limit)
            .execute();
          return rows.map(parseEnvironment);
        },
      }),

    createEnvironment: (environment, origin, once) =>
      deed(db, async (trx, undo) => {
        const earlier = await claimOnce(trx, once, environment.id, origin);
        if (earlier !== null) return earlier;
        const latestMs = latestEnd(await readMaxAge(trx, engine, accountId), origin.atMs);
        const keys = environment.keys.map((key) => ({
          ...key,
          expiresAtMs: soonest(key.expiresAtMs, latestMs),
        }));
        const first = { ...environment, keys };
        const created = await insertEnvironment(trx, accountId, first, origin);
        if (created === "slug_taken") return undo({ outcome: "slug_taken" });
        await recordAudit(
          trx,
          {
            action: "environment.created",
            accountId,
            environmentId: environment.id,
            subject: { type: "environment", id: environment.id },
            details: {
              slug: environment.slug,
              name: environment.name,
              keys: environment.keys.map((key) => key.id),
            },
          },
          origin,
        );
        return { outcome: "created", environment: created };
      }),

    async findEnvironment(slugOrId) {
      const row = await selectLivingEnvironments(db, accountId)
        .where((eb) =>
          eb.or([eb("environment.slug", "=", slugOrId), eb("environment.id", "=", slugOrId)]),
        )
        .executeTakeFirst();
      return row === undefined ? undefined : parseEnvironment(row);
    },

    renameEnvironment: (slug, name, origin) =>
      deed(db, async (trx) => {
        const environment = await holdEnvironment(trx, engine, accountId, slug);
        if (environment === undefined) return { outcome: "absent" };
        if (environment.name === name) return { outcome: "renamed", environment };
        // No change is written: the name is no part of a verdict.
        await trx
          .updateTable("environment")
          .set({ name })
          .where("id", "=", environment.id)
          .execute();
        await recordAudit(
          trx,
          {
            action: "environment.renamed",
            accountId,
            environmentId: environment.id,
            subject: { type: "environment", id: environment.id },
            details: { slug, name, name_before: environment.name },
          },
          origin,
        );
        return { outcome: "renamed", environment: { ...environment, name } };
      }),

    deleteEnvironment: (slug, origin) =>
      untilCertain(engine, async () => {
        const db = lanes.revocations;
        const seq = await deleteEnvironment(db, engine, accountId, slug, origin);
        return seq === null
          ? deletedBefore(db, endOfEnvironment(db, accountId, slug), origin)
          : { outcome: "deleted", seq };
      }),
  };
}

/** @returns The deletion's seq, or `null` when there is no such living environment. */
function deleteEnvironment(
  db: Database,
  engine: Engine,
  accountId: string,
  slug: string,
  origin: Origin,
): Promise<number | null> {
  return deed(db, async (trx) => {
    const environment = await holdEnvironment(trx, engine, accountId, slug);
    if (environment === undefined) return null;
    const { id } = environment;
    await recordAudit(
      trx,
      {
        action: "environment.deleted",
        accountId,
        environmentId: id,
        subject: { type: "environment", id },
        details: { slug, name: environment.name },
      },
      origin,
    );
    const revoked = { kind: "environment", subject: id, subjectId: id } as const;
    return recordRevocation(trx, engine, revoked, origin, (seq) =>
      trx
        .updateTable("environment")
        .set({ deleted_at: origin.atMs, deletion_seq: seq })
        .where("id", "=", id)
        .where("deleted_at", "is", null)
        .returning("id"),
    );
  });
}

/** Its row is locked on engines that need it: this transaction is about to change it. */
async function holdEnvironment(
  trx: Database,
  engine: Engine,
  accountId: string,
  slug: string,
): Promise<Environment | undefined> {
  const query = selectLivingEnvironments(trx, accountId).where("environment.slug", "=", slug);
  const row = await (engine.locksRows
    ? query.forNoKeyUpdate("environment")
    : query
  ).executeTakeFirst();
  return row === undefined ? undefined : parseEnvironment(row);
}
