import { expect } from "vitest";
import type { TestPostgres } from "../postgres.ts";
import type { Entry, ReadEntries } from "./attempts.ts";

/** What was altered in one transaction: of whom, and which entries it wrote. */
interface Transaction {
  readonly altered: string;
  readonly entries: string;
}

/** What a transaction alters that writes these entries, sessions that end besides left out. */
const ALTERED_BY: Readonly<Record<string, string>> = {
  "person.signed_up": "password set, person made",
  "person.password_changed": "password set",
  "person.password_reset": "password set",
  "person.two_factor_enabled": "second factor turned",
  "person.two_factor_disabled": "second factor turned",
  "person.recovery_codes_replaced": "recovery codes changed",
  "person.recovery_code_used": "recovery codes changed",
  "person.sessions_ended": "",
  "password_reset_link.created": "",
  "password_reset_link.created, person.two_factor_disabled": "second factor turned",
};

/**
 * What may be altered without an entry: a sign-in whose second factor is due begins a session and takes it back. That
 * nobody loses a session that was given to them is judged by using it.
 */
const UNTOLD = "session ended";

/** Has the database itself write down which transaction alters what, from now on. */
export async function openWitness(postgres: TestPostgres, database: string): Promise<Witness> {
  const on = (table: string, event: string, said: { what: string; of: string; when?: string }) => `
    create trigger witness_${event.split(" ")[0]} after ${event} on ${table} for each row
    ${said.when === undefined ? "" : `when (${said.when})`}
    execute function witness('${said.what}', '${said.of}');`;
  const differs = (column: string) => `old.${column} is distinct from new.${column}`;
  await postgres.run(
    `create table witness (
       seq bigserial primary key, tx text default pg_current_xact_id()::text, what text, of text);
     create function witness() returns trigger language plpgsql as $$ begin
       insert into witness (what, of)
       values (tg_argv[0], to_jsonb(case tg_op when 'DELETE' then old else new end) ->> tg_argv[1]);
       return null; end $$;
     ${on("person", "insert", { what: "person made", of: "id" })}
     ${on("person", "update", { what: "second factor turned", of: "id", when: differs("two_factor_enabled") })}
     ${on("credential", "insert", { what: "password set", of: "person_id" })}
     ${on("credential", "update", { what: "password set", of: "person_id", when: differs("password") })}
     ${on("two_factor", "update", { what: "recovery codes changed", of: "person_id", when: `old.verified and ${differs("backup_codes")}` })}
     ${on("session", "delete", { what: "session ended", of: "person_id" })}
     ${on("audit_event", "insert", { what: "entry", of: "id" })}`,
    database,
  );
  const rows = (sql: string) => postgres.run(sql, database);

  return {
    entries: async (name) =>
      (
        await rows(`select action, actor_id, subject_id, request_id, user_agent
          from witness join audit_event on id = of
          where what = 'entry' and starts_with(user_agent, '${name}') order by seq`)
      ).map(entryOf),

    async judge() {
      const transactions = (
        await rows(`select
            coalesce(string_agg(distinct what, ', ') filter (where what <> 'entry'), '') altered,
            coalesce(string_agg(action, ', ' order by seq) filter (where what = 'entry'), '') entries
          from witness left join audit_event on what = 'entry' and id = of group by tx`)
      ).map((row): Transaction => ({ altered: `${row.altered}`, entries: `${row.entries}` }));
      expect(transactions.filter((one) => !isWhole(one))).toEqual([]);
      return transactions.length;
    },
  };
}

/** A database's own word on what was altered together with what. */
export interface Witness {
  /** In the order of commits of each person: a deed to one waits for the one before it. */
  readonly entries: ReadEntries;
  /**
   * Every change of a sign-in was made in one transaction with one entry that says so, and every entry with its change.
   *
   * @returns Transactions that it saw.
   */
  judge(): Promise<number>;
}

function isWhole({ altered, entries }: Transaction): boolean {
  if (entries === "") return altered === UNTOLD;
  const whats = altered.split(", ").filter((what) => what !== "session ended");
  return ALTERED_BY[entries] === whats.join(", ");
}

/** A row of the audit log, as every engine gives it. */
export function entryOf(row: Readonly<Record<string, unknown>>): Entry {
  return {
    action: `${row.action}`,
    actor_id: `${row.actor_id}`,
    subject_id: `${row.subject_id}`,
    request_id: row.request_id === null ? null : `${row.request_id}`,
    user_agent: `${row.user_agent}`,
  };
}
