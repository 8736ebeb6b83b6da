import type { ActorJson, ApiKeyJson, ApiKeyUsageJson } from "@latchkey/sdk/client";
import type { Command } from "commander";
import { type Done, jsonOption } from "./argument.ts";
import { connect } from "./connection.ts";
import { spanText, timeText } from "./duration.ts";
import { receiptText } from "./receipt.ts";
import { table } from "./table.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

/** Describes `latchkey keys describe`. @param done Told the exit code. */
export function describeKey(keys: Command, terminal: Terminal, done: Done): void {
  keys
    .command("describe <id>")
    .description("Show all that is known of a key, and who uses it.")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (id: string, options: { json?: true }) => {
      const { apiKeys } = connect(terminal, "service");
      const [key, usage] = await Promise.all([apiKeys.get(id), apiKeys.usage(id)]);
      if (options.json === true) writeJson(terminal, { ...key, usage });
      else {
        const nowMs = terminal.ambient.nowMs();
        terminal.stdout.write(table(facts(key, usage, nowMs), { to: terminal.stdout, cut: [1] }));
        if (usage.callers.length > 0)
          terminal.stdout.write(
            `\n${table([CALLERS, ...callers(usage)], { to: terminal.stdout, cut: [1] })}`,
          );
      }
      done(EXIT.done);
    });
}

/** Whether a key is accepted now. */
export function statusOf(key: ApiKeyJson, nowMs: number): "active" | "revoked" | "expired" {
  if (key.revoked_at !== null) return "revoked";
  return key.expires_at !== null && Date.parse(key.expires_at) <= nowMs ? "expired" : "active";
}

/** Who used a key last, and how much, in a sentence. */
export function lastUseText(usage: ApiKeyUsageJson, nowMs: number): string {
  if (usage.last_used_at === null) return "It was never used.";
  const ago = spanText(nowMs - Date.parse(usage.last_used_at));
  const [last] = usage.callers;
  const from = last === undefined ? "" : ` from ${callerText(last)}`;
  const { accepted } = usage.totals.last_24_hours;
  return `Last used ${ago} ago${from}; ${accepted} times in the last 24 hours, by ${usage.callers_last_24_hours} callers.`;
}

function callerText({ address, user_agent }: ApiKeyUsageJson["callers"][number]): string {
  return [
    address ?? "an unknown address",
    ...(user_agent === null ? [] : [`(${user_agent})`]),
  ].join(" ");
}

function facts(key: ApiKeyJson, usage: ApiKeyUsageJson, nowMs: number): string[][] {
  const { last_24_hours: day, last_7_days: week } = usage.totals;
  const metadata = Object.entries(key.metadata).map(([name, value]) => `${name}=${value}`);
  return [
    ["Id", key.id],
    ["Hint", key.hint],
    ["Type", key.type],
    ["Environment", key.environment],
    ["Status", statusOf(key, nowMs)],
    ...(key.description === "" ? [] : [["Description", key.description]]),
    ...metadata.map((pair) => ["Metadata", pair]),
    ["Created", `${timeText(key.created_at)} by ${actorText(key.created_by)}`],
    ["Expires", timeText(key.expires_at)],
    ["Last used", timeText(key.last_used_at)],
    ["Last 24 hours", `${day.accepted} accepted, ${day.refused} refused`],
    ["Last 7 days", `${week.accepted} accepted, ${week.refused} refused`],
    ...(key.rotated_from === null ? [] : [["Replaces", key.rotated_from]]),
    ...(key.rotated_to === null ? [] : [["Replaced by", key.rotated_to]]),
    ...(key.overlap === null ? [] : [["Overlap", overlapText(key.overlap)]]),
    ...revocationFacts(key),
  ];
}

/** How long a rotated key goes on beside its successor. */
export function overlapText({ seconds, started_at }: NonNullable<ApiKeyJson["overlap"]>): string {
  const since =
    started_at === null ? "from the first use of its successor" : `since ${timeText(started_at)}`;
  return `${spanText(seconds * 1_000)} ${since}`;
}

function revocationFacts(key: ApiKeyJson): string[][] {
  if (key.revoked_at === null) return [];
  const by = key.revoked_by === null ? "" : ` by ${actorText(key.revoked_by)}`;
  return [
    ["Revoked", `${timeText(key.revoked_at)}${by}`],
    ...(key.revoked_reason === null ? [] : [["Reason", key.revoked_reason]]),
    ...(key.revocation === null ? [] : [["Receipt", receiptText(key.revocation)]]),
  ];
}

const actorText = ({ type, name }: ActorJson): string => `${name} (${type.replace("_", " ")})`;

const CALLERS = ["ADDRESS", "USER AGENT", "FIRST SEEN (UTC)", "LAST SEEN (UTC)", "TIMES"];

const callers = ({ callers }: ApiKeyUsageJson): string[][] =>
  callers.map(({ address, user_agent, first_seen_at, last_seen_at, count }) => [
    address ?? "-",
    user_agent ?? "-",
    timeText(first_seen_at),
    timeText(last_seen_at),
    String(count),
  ]);

const HELP = `
Example:
  $ latchkey keys describe key_0195f2c47d3e7a41b6c0a2d95e1f8b37
`;
