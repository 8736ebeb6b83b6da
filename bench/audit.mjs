/** The audit log: every filter and page of 100,000 entries of one account, among as many of another. */
import { benchReads } from "./reads.mjs";
import { ASK } from "./world.mjs";

export const title = "The audit log of 100,000 entries";

const ENTRIES = 100_000;
const KEYS = 1_000;
const MINUTE_MS = 60_000;

/** How each engine writes what the other does not. */
const SPELLINGS = {
  SQLite: {
    numbers: (count) =>
      `(with recursive up(n) as (select 1 union all select n + 1 from up where n < ${count}) select n from up)`,
    hex: (value, digits) => `printf('%0${digits}x', ${value})`,
  },
  PostgreSQL: {
    numbers: (count) => `(select n from generate_series(1, ${count}) as n)`,
    hex: (value, digits) => `lpad(to_hex(${value}), ${digits}, '0')`,
  },
};

export function run() {
  return benchReads({
    keys: KEYS,
    fill: (engine, name, nowMs) => describe(engine, SPELLINGS[name], nowMs),
    queries,
    what: `GET /v1/audit_logs of ${ENTRIES.toLocaleString("en")} entries in one account`,
    note: "Another account has as many entries of the same minutes. ",
  });
}

/** When the n-th entry was written: one a minute, the last one just now. */
const timeOf = (nowMs, n) => nowMs - (ENTRIES - n) * MINUTE_MS;
const idOf = (nowMs, n) =>
  `evt_${timeOf(nowMs, n).toString(16).padStart(12, "0")}${n.toString(16).padStart(20, "0")}`;

/** Mostly edits of keys by twenty people; some of each kind are rare, and one key was rotated. */
async function describe({ query }, { numbers, hex }, nowMs) {
  const [{ id: account }] = await query("select account_id as id from environment limit 1");
  await query(
    `insert into account (id, slug, name, created_at) values ('acc_bench', 'bench', 'Bench', 1)`,
  );
  const at = `(${nowMs - ENTRIES * MINUTE_MS} + cast(n as bigint) * ${MINUTE_MS})`;
  const key = (n) => `'key_' || ${hex(n, 32)}`;
  for (const [of, digit] of [
    [account, "0"],
    ["acc_bench", "1"],
  ])
    await query(`insert into audit_event (id, account_id, environment_id, at, actor_type, actor_id,
        actor_name, action, subject_type, subject_id, request_id, address, user_agent, details)
      select 'evt_' || ${hex(at, 12)} || '${digit}' || ${hex("n", 19)}, '${of}',
        (select id from environment where slug = '${ASK.environment}' and account_id = '${account}'), ${at},
        'person', case when n % 10000 = 7 then 'per_rare' else 'per_' || (n % 20) end, 'Person',
        case when n % 10000 = 9 then 'environment.renamed' when n % 10 = 3 then 'api_key.created'
          when n % 10 = 4 then 'api_key.revoked' else 'api_key.edited' end,
        'api_key', case when n % 50000 = 11 then ${key(`${KEYS} - 1`)} else ${key(`n % (${KEYS} - 1)`)} end,
        'req_' || n, '203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64)',
        '{"type":"secret","hint":"sk_…9fQ2","fields":["description"],"description":"Service","description_before":"Old"}'
      from ${numbers(ENTRIES)} as numbers`);
  await query(`update api_key set rotated_from = ${key("5")} where id = ${key("6")}`);
  await query("analyze");
}

const keyOf = (n) => `key_${n.toString(16).padStart(32, "0")}`;
const iso = (ms) => new Date(ms).toISOString();

/** What is asked, and how many entries it finds. */
function asked(nowMs) {
  const after = (n) => `&after=${idOf(nowMs, n)}`;
  const middleMs = timeOf(nowMs, ENTRIES / 2);
  return {
    "first page": ["", 50],
    "first page of 200": ["&page_size=200", 200],
    "middle page": [after(ENTRIES / 2), 50],
    "middle page, backwards": [`&before=${idOf(nowMs, ENTRIES / 2)}`, 50],
    "last page": [after(21), 20],
    "who: one of twenty": ["&actor=per_3", 50],
    "who: middle page": [`&actor=per_3${after(ENTRIES / 2)}`, 50],
    "who: last page": [`&actor=per_3${after(203)}`, 10],
    "who: hardly anything": ["&actor=per_rare", 10],
    "who: nothing": ["&actor=per_nobody", 0],
    "action: often": ["&action=api_key.revoked", 50],
    "action: last page": [`&action=api_key.revoked${after(104)}`, 10],
    "action: hardly ever": ["&action=environment.renamed", 10],
    "action: never": ["&action=member.removed", 0],
    "actions: api_key.*": ["&action=api_key.*", 50],
    "actions: api_key.*, middle page": [`&action=api_key.*${after(ENTRIES / 2)}`, 50],
    "actions: environment.*": ["&action=environment.*", 10],
    "actions: person.*, none": ["&action=person.*", 0],
    key: [`&api_key_id=${keyOf(5)}`, 50],
    "key: a successor": [`&api_key_id=${keyOf(6)}`, 50],
    "key: hardly anything": [`&api_key_id=${keyOf(KEYS - 1)}`, 2],
    "key: nothing": [`&api_key_id=key_${"f".repeat(32)}`, 0],
    "subject: last page": [`&subject=${keyOf(5)}${after(1004)}`, 1],
    "time: an hour in the middle": [
      `&from=${iso(middleMs)}&to=${iso(middleMs + 60 * MINUTE_MS)}`,
      50,
    ],
    "time: before the middle": [`&to=${iso(middleMs)}`, 50],
    "time: none in the future": [`&from=${iso(nowMs + 86_400_000)}`, 0],
    "who and action": ["&actor=per_3&action=api_key.created", 50],
    "who and action: none": ["&actor=per_3&action=environment.renamed", 0],
    "who, action and time": [`&actor=per_4&action=api_key.*&to=${iso(middleMs)}`, 50],
    "key and action: none": [`&api_key_id=${keyOf(5)}&action=environment.renamed`, 0],
  };
}

function queries(nowMs) {
  return Object.fromEntries(
    Object.entries(asked(nowMs)).map(([name, [query, expected]]) => [
      name,
      {
        path: `/v1/audit_logs?format=json${query}`,
        isRight: (count) => count === expected,
      },
    ]),
  );
}
