import { OUTCOMES, type Outcome } from "@latchkey/sdk/core";
import type {
  AccountStore,
  ApiKey,
  Granularity,
  KeyCaller,
  Span,
  UsageAsk,
  UsageRow,
} from "../../store/store.ts";
import { getKey } from "../keys.ts";
import { missing, wrong } from "../outcomes.ts";
import { BUCKET_MS, bucketsOf, DAY_MS, type RangeAsk, spanOf } from "./span.ts";

/** Entries of one answer. More than a screen or a program that asked by mistake can use; a table has them all. */
const ENTRIES_MAX = 50_000;

/** Numbers read for one answer, before those that are nothing are left out: buckets by keys with numbers of their own. */
const CELLS_MAX = 150_000;

/** Rows of a piece of a table: few enough that nobody notices the moment it takes to make text of them. */
const PIECE_ROWS_MAX = 500;

/** Callers of a key that are shown. */
const CALLERS_MAX = 50;

/** What usage is told apart by. */
export interface Grouping {
  readonly key: boolean;
  readonly outcome: boolean;
  readonly environment: boolean;
}

/** What somebody asks to read of an account's usage. */
export interface ReportAsk extends RangeAsk {
  /** Slug; `null`: every environment. */
  readonly environment: string | null;
  /** `null`: every key. */
  readonly keyIds: readonly string[] | null;
  readonly by: Grouping;
}

/** Verifications of one bucket, of what it was grouped by; the rest is `null`. */
export interface UsageEntry {
  readonly atMs: number;
  /** Also `null` for all the keys together that are not among the top ones. */
  readonly keyId: string | null;
  readonly environment: string | null;
  readonly outcome: Outcome | null;
  readonly count: number;
}

/** Usage of a span, the oldest bucket first. */
export interface UsageReport extends Span {
  readonly granularity: Granularity;
  readonly entries: readonly UsageEntry[];
}

/** How often a key was accepted and refused. */
export interface UsageTotal {
  readonly accepted: number;
  readonly refused: number;
}

/** The use of one key: {@link UsageReport} by outcome, and what its owner asks before revoking it. */
export interface KeyUsageReport extends UsageReport {
  readonly lastDay: UsageTotal;
  readonly lastWeek: UsageTotal;
  readonly lastUsedAtMs: number | null;
  /** The latest first. */
  readonly callers: readonly KeyCaller[];
  readonly callersOfLastDay: number;
}

/**
 * Reads an account's usage.
 *
 * @param top With `by.key`: how many keys have entries of their own.
 * @throws Failure `resource_missing` for an unknown environment, `invalid_params` for a span without time or for more
 *   than one answer holds.
 */
export async function readUsage(
  account: AccountStore,
  ask: ReportAsk,
  top: number,
  nowMs: number,
): Promise<UsageReport> {
  const span = spanOf(ask, nowMs);
  const keysMax = Math.min(top, ask.keyIds?.length ?? top);
  if (ask.by.key && bucketsOf(span, ask.granularity) * keysMax > CELLS_MAX)
    throw wrong("top", `Must be so small that top times the buckets is ${CELLS_MAX} at most.`);
  const rows = await rowsOf(account, { ...storeAsk(ask, span), top: ask.by.key ? top : null });
  // Each row has one entry at least: of very many none is made.
  const entries = rows.length > ENTRIES_MAX ? null : entriesOf(rows, ask.by);
  if (entries === null || entries.length > ENTRIES_MAX)
    throw wrong("from", `There are more than ${ENTRIES_MAX} entries. Ask for less, or for CSV.`);
  return { ...span, granularity: ask.granularity, entries };
}

/**
 * Reads an account's usage with every key, piece by piece: so much as one bucket at a time is all that is held. A bucket
 * without a verification is an empty piece.
 *
 * @throws Failure as {@link readUsage} does, at the first piece.
 */
export async function* streamUsage(
  account: AccountStore,
  ask: ReportAsk,
  span: Span,
): AsyncGenerator<readonly UsageEntry[], void, undefined> {
  const stepMs = ask.by.key ? BUCKET_MS[ask.granularity] : span.toMs - span.fromMs;
  for (let fromMs = span.fromMs; fromMs < span.toMs; fromMs += stepMs) {
    const piece = { fromMs, toMs: Math.min(fromMs + stepMs, span.toMs) };
    const rows = await rowsOf(account, { ...storeAsk(ask, piece), top: null });
    for (let start = 0; start === 0 || start < rows.length; start += PIECE_ROWS_MAX)
      yield entriesOf(rows.slice(start, start + PIECE_ROWS_MAX), ask.by);
  }
}

/** Reads the use of one key. @throws Failure `resource_missing`, `invalid_params` as {@link readUsage} does. */
export async function readKeyUsage(
  account: AccountStore,
  id: string,
  ask: RangeAsk,
  nowMs: number,
): Promise<KeyUsageReport> {
  const span = spanOf(ask, nowMs);
  const key = await getKey(account, id);
  const [rows, lastDay, lastWeek, { callers, since }] = await Promise.all([
    rowsOf(account, { ...storeAsk(askOfKey(key, ask), span), top: null }),
    account.sumUsage(id, hourOf(nowMs - DAY_MS)),
    account.sumUsage(id, hourOf(nowMs - 7 * DAY_MS)),
    account.listCallers(id, CALLERS_MAX, nowMs - DAY_MS),
  ]);
  return {
    ...span,
    granularity: ask.granularity,
    entries: entriesOf(rows, BY_OUTCOME),
    lastDay: totalOf(lastDay),
    lastWeek: totalOf(lastWeek),
    lastUsedAtMs: key.lastUsedAtMs,
    callers,
    callersOfLastDay: since,
  };
}

/** The hour's first ms: a sum of hours counts the first of them whole, for too much makes nobody revoke by mistake. */
const hourOf = (ms: number): number => ms - (ms % BUCKET_MS.hour);

const BY_OUTCOME: Grouping = { key: false, outcome: true, environment: false };

/** The ask for one key's usage by outcome. */
export function askOfKey({ id }: Pick<ApiKey, "id">, ask: RangeAsk): ReportAsk {
  return { ...ask, environment: null, keyIds: [id], by: BY_OUTCOME };
}

function storeAsk(
  { granularity, environment, keyIds, by }: ReportAsk,
  { fromMs, toMs }: Span,
): Omit<UsageAsk, "top"> {
  return {
    fromMs,
    toMs,
    granularity,
    environment,
    keyIds,
    by: { key: by.key, environment: by.environment },
  };
}

async function rowsOf(account: AccountStore, ask: UsageAsk): Promise<readonly UsageRow[]> {
  const read = await account.readUsage(ask);
  if (read.outcome === "absent") throw missing("environment");
  return read.rows;
}

/** One entry for each row, or for each outcome of it, that counts anything. */
function entriesOf(rows: readonly UsageRow[], by: Grouping): UsageEntry[] {
  return rows.flatMap(({ counts, ...row }) => {
    const parts = by.outcome
      ? OUTCOMES.map((outcome) => ({ outcome, count: counts[outcome] }))
      : [{ outcome: null, count: sumOf(counts) }];
    return parts.filter(({ count }) => count > 0).map((part) => ({ ...row, ...part }));
  });
}

function totalOf(counts: UsageRow["counts"]): UsageTotal {
  return { accepted: counts.accepted, refused: sumOf(counts) - counts.accepted };
}

function sumOf(counts: UsageRow["counts"]): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}
