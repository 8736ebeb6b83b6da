import { isIP } from "node:net";
import { z } from "zod";
import {
  areRanges,
  isDatabaseUrl,
  isLoopback,
  isPublicUrl,
  isSmtpUrl,
  originOf,
  splitList,
  TRUSTED_PROXIES_MAX,
  wholeNumber,
} from "./setting-values.ts";
import type { UsageKept } from "./store/store.ts";

/** Levels of the log, from the loudest to the quietest setting. */
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** One setting as people read about it; docs/operating.md and `latchkey --help` show exactly these. */
interface Setting {
  /** What it is for, in one line. */
  readonly purpose: string;
  /** What holds when the variable is unset or empty. */
  readonly fallback: string;
  /** Which values are taken, with their unit. */
  readonly bound: string;
  /** Turns the variable's text (`undefined` when unset or empty) into the setting's value. */
  readonly schema: z.ZodType<unknown, string | undefined>;
}

const setting = <S extends Setting>(entry: S): S => entry;

/** Every setting of the server, by the environment variable that sets it. */
export const SETTINGS = {
  HOST: setting({
    purpose: "address to listen on; off loopback, LATCHKEY_PUBLIC_URL is required",
    fallback: "127.0.0.1",
    bound: "an IP address, or localhost",
    schema: z
      .string()
      .default("127.0.0.1")
      .refine((host) => host === "localhost" || isIP(host) !== 0),
  }),
  PORT: setting({
    purpose: "TCP port to listen on",
    fallback: "4400",
    bound: "a port, 0 to 65535; 0 takes a free one",
    schema: wholeNumber(0, 65_535).default(4400),
  }),
  DATABASE_URL: setting({
    purpose: "PostgreSQL database that any number of nodes share; LATCHKEY_DATA is then not used",
    fallback: "unset: SQLite in LATCHKEY_DATA",
    bound: "postgres://user:password@host:port/name, with ?sslmode=verify-full for TLS",
    schema: z.string().refine(isDatabaseUrl).optional(),
  }),
  LATCHKEY_DATA: setting({
    purpose: "folder of the SQLite database, its lock and the secret",
    fallback: "./data",
    bound: "a path; made when it is not there",
    schema: z
      .string()
      .default("./data")
      .refine((path) => !path.includes("\0")),
  }),
  LATCHKEY_PUBLIC_URL: setting({
    purpose: "origin at which browsers reach the dashboard",
    fallback: "the request's own host; required off loopback and with mail",
    bound: "https://host[:port], without a path; http:// for a loopback host only",
    schema: z.string().refine(isPublicUrl).transform(originOf).optional(),
  }),
  LATCHKEY_LEASE_SECONDS: setting({
    purpose: "how long a verifier may go on without the server, and the longest a revocation takes",
    fallback: "10",
    bound: "whole seconds, 1 to 60",
    schema: wholeNumber(1, 60).default(10),
  }),
  LATCHKEY_NODE_NAME: setting({
    purpose: "label of this process in logs and receipts; need not be unique",
    fallback: "latchkey",
    bound: "1 to 64 characters of A-Z a-z 0-9 . _ -",
    schema: z
      .string()
      .default("latchkey")
      .refine((name) => /^[A-Za-z0-9._-]{1,64}$/.test(name)),
  }),
  LATCHKEY_METRICS_PORT: setting({
    purpose: "port of Prometheus metrics (/metrics), on 127.0.0.1 only",
    fallback: "unset: no metrics",
    bound: "a port, 0 to 65535; 0 takes a free one",
    schema: wholeNumber(0, 65_535).optional(),
  }),
  LATCHKEY_BRAND: setting({
    purpose: "makes tokens recognisable: sk_<brand>_…",
    fallback: "unset: no brand",
    bound: "2 to 16 characters of a-z 0-9",
    schema: z
      .string()
      .refine((brand) => /^[a-z0-9]{2,16}$/.test(brand))
      .optional(),
  }),
  LATCHKEY_SECRET: setting({
    purpose:
      "signs session cookies and encrypts second factors; changing it signs everybody out, and ends those",
    fallback: "made and kept in LATCHKEY_DATA/secret; required with DATABASE_URL",
    bound: "32 to 512 characters",
    schema: z
      .string()
      .refine((secret) => secret.length >= 32 && secret.length <= 512)
      .optional(),
  }),
  LATCHKEY_SIGNUP: setting({
    purpose: "who may make an account: whoever the operator invites, or anybody",
    fallback: "invite",
    bound: "invite, open",
    schema: z.enum(["invite", "open"]).default("invite"),
  }),
  LATCHKEY_SMTP_URL: setting({
    purpose: "mail server for invitations, addresses to confirm and forgotten passwords",
    fallback: "unset: no mail is sent, people are given links instead",
    bound:
      "smtps://user:password@host:465, or smtp://user:password@host:587 (STARTTLS; plain text to loopback only)",
    schema: z.string().refine(isSmtpUrl).optional(),
  }),
  LATCHKEY_MAIL_FROM: setting({
    purpose: "sender of those mails; needed with LATCHKEY_SMTP_URL",
    fallback: "unset",
    bound: "an e-mail address",
    schema: z.email().max(254).optional(),
  }),
  LATCHKEY_TRUSTED_PROXIES: setting({
    purpose: "proxies whose X-Forwarded-For is believed",
    fallback: "unset: none",
    bound: `up to ${TRUSTED_PROXIES_MAX} addresses or CIDR ranges, separated by commas`,
    schema: z.string().default("").transform(splitList).refine(areRanges),
  }),
  LATCHKEY_CALLERS: setting({
    purpose: "whether addresses and user agents of a key's callers and of refusals are kept",
    fallback: "on",
    bound: "on, off",
    schema: z.enum(["on", "off"]).default("on"),
  }),
  LATCHKEY_KEEP_MINUTES: setting({
    purpose: "how long usage is kept by the minute",
    fallback: "24",
    bound: "whole hours, 2 to 168",
    schema: wholeNumber(2, 168).default(24),
  }),
  LATCHKEY_KEEP_HOURS: setting({
    purpose: "how long usage is kept by the hour, and callers that do not come any more",
    fallback: "90",
    bound: "whole days, 2 to 400",
    schema: wholeNumber(2, 400).default(90),
  }),
  LATCHKEY_KEEP_DAYS: setting({
    purpose: "how long usage is kept by the day",
    fallback: "800",
    bound: "whole days, 35 to 3650",
    schema: wholeNumber(35, 3_650).default(800),
  }),
  LATCHKEY_KEEP_REFUSALS: setting({
    purpose: "how long refused requests can be looked up",
    fallback: "30",
    bound: "whole days, 1 to 365",
    schema: wholeNumber(1, 365).default(30),
  }),
  LATCHKEY_KEEP_AUDIT: setting({
    purpose: "how long the audit log is kept",
    fallback: "unset: for ever",
    bound: "whole days, 30 to 36500",
    schema: wholeNumber(30, 36_500).optional(),
  }),
  LATCHKEY_LOG_LEVEL: setting({
    purpose: "what is logged: this level and worse",
    fallback: "info",
    bound: LOG_LEVELS.join(", "),
    schema: z.enum(LOG_LEVELS).default("info"),
  }),
} as const;

/** Variables of the command line as a client of a running server; no settings of the server, and no typos either. */
export const CLIENT_VARIABLES = {
  LATCHKEY_URL: "server that commands talk to (default http://127.0.0.1:4400)",
  LATCHKEY_SERVICE_TOKEN:
    "service token (st_…) for `latchkey keys`, `environments`, `usage`, `refusals` and `whoami`",
  LATCHKEY_OPERATOR_TOKEN: "operator token (ot_…) for `latchkey accounts` and `tokens`",
  LATCHKEY_VERIFIER_TOKEN: "verifier token (vt_…) for `latchkey verify`, and for programs of yours",
  LATCHKEY_TOKEN: "any of these instead, which its prefix tells apart",
} as const;

/** The settings as the environment gives them: `secret` is `null` until {@link keepSecret} has answered. */
export interface GivenSettings {
  readonly host: string;
  readonly port: number;
  /** The Postgres database, with its password; `null` for SQLite. */
  readonly databaseUrl: string | null;
  /** SQLite's folder, as given: relative to the working directory. */
  readonly dataFolder: string;
  /** An origin, e.g. `https://keys.example.com`; `null` on loopback without mail, where the request's own host is trusted. */
  readonly publicUrl: string | null;
  readonly leaseMs: number;
  readonly nodeName: string;
  /** Port of the metrics on loopback, 0 for a free one; `null` for none. */
  readonly metricsPort: number | null;
  readonly brand: string | null;
  readonly secret: string | null;
  /** Whether anybody may sign up and make an account. */
  readonly signUpOpen: boolean;
  /** How mail is sent; `null`: it is not. */
  readonly mail: { readonly smtpUrl: string; readonly from: string } | null;
  /** Addresses and CIDR ranges, each valid for ipaddr.js. */
  readonly trustedProxies: readonly string[];
  /** Whether who uses a key, and whose request was refused, is kept. */
  readonly callersKept: boolean;
  readonly usageKept: UsageKept;
  /** How long audit events are kept; `null`: for ever. */
  readonly auditKeptMs: number | null;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** The settings of a server that starts. */
export interface Settings extends GivenSettings {
  /** Signs session cookies. */
  readonly secret: string;
}

/** Settings that cannot be used. The message names every wrong one, and never a value that may be secret. */
export class SettingsError extends Error {
  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? "A setting is" : `${problems.length} settings are`;
    super(`${count} wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "SettingsError";
  }
}

const SCHEMA = z.object({
  HOST: SETTINGS.HOST.schema,
  PORT: SETTINGS.PORT.schema,
  DATABASE_URL: SETTINGS.DATABASE_URL.schema,
  LATCHKEY_DATA: SETTINGS.LATCHKEY_DATA.schema,
  LATCHKEY_PUBLIC_URL: SETTINGS.LATCHKEY_PUBLIC_URL.schema,
  LATCHKEY_LEASE_SECONDS: SETTINGS.LATCHKEY_LEASE_SECONDS.schema,
  LATCHKEY_NODE_NAME: SETTINGS.LATCHKEY_NODE_NAME.schema,
  LATCHKEY_METRICS_PORT: SETTINGS.LATCHKEY_METRICS_PORT.schema,
  LATCHKEY_BRAND: SETTINGS.LATCHKEY_BRAND.schema,
  LATCHKEY_SECRET: SETTINGS.LATCHKEY_SECRET.schema,
  LATCHKEY_SIGNUP: SETTINGS.LATCHKEY_SIGNUP.schema,
  LATCHKEY_SMTP_URL: SETTINGS.LATCHKEY_SMTP_URL.schema,
  LATCHKEY_MAIL_FROM: SETTINGS.LATCHKEY_MAIL_FROM.schema,
  LATCHKEY_TRUSTED_PROXIES: SETTINGS.LATCHKEY_TRUSTED_PROXIES.schema,
  LATCHKEY_CALLERS: SETTINGS.LATCHKEY_CALLERS.schema,
  LATCHKEY_KEEP_MINUTES: SETTINGS.LATCHKEY_KEEP_MINUTES.schema,
  LATCHKEY_KEEP_HOURS: SETTINGS.LATCHKEY_KEEP_HOURS.schema,
  LATCHKEY_KEEP_DAYS: SETTINGS.LATCHKEY_KEEP_DAYS.schema,
  LATCHKEY_KEEP_REFUSALS: SETTINGS.LATCHKEY_KEEP_REFUSALS.schema,
  LATCHKEY_KEEP_AUDIT: SETTINGS.LATCHKEY_KEEP_AUDIT.schema,
  LATCHKEY_LOG_LEVEL: SETTINGS.LATCHKEY_LOG_LEVEL.schema,
});

/** Variables whose wrong value may itself be a secret: a message about them repeats nothing of it. */
const SECRET_VARIABLES: ReadonlySet<string> = new Set([
  "LATCHKEY_SECRET",
  "LATCHKEY_SMTP_URL",
  "DATABASE_URL",
]);

/** Longest piece of a wrong value that a message repeats. */
const ECHO_CHARACTERS_MAX = 60;

/**
 * Reads every setting from environment variables. Empty ones count as unset.
 *
 * A `LATCHKEY_…` variable that nobody reads is an error, not a warning: a mistyped bound that silently keeps its
 * default is found in an incident.
 *
 * @throws SettingsError naming every wrong or unknown variable at once.
 */
export function readSettings(env: Record<string, string | undefined>): GivenSettings {
  const given: Record<string, string | undefined> = {};
  for (const name of Object.keys(SETTINGS)) given[name] = env[name] === "" ? undefined : env[name];

  const problems = unknownVariables(env);
  const parsed = SCHEMA.safeParse(given);
  if (!parsed.success) {
    const wrong = new Set(parsed.error.issues.map((issue) => String(issue.path[0])));
    for (const name of wrong) problems.push(wrongVariable(name, given[name]));
  }
  const host = parsed.data?.HOST ?? given.HOST;
  if (host !== undefined && !isLoopback(host) && given.LATCHKEY_PUBLIC_URL === undefined)
    problems.push(
      `LATCHKEY_PUBLIC_URL is unset, but required because HOST=${echo(host)} is not loopback; expected ${SETTINGS.LATCHKEY_PUBLIC_URL.bound}.`,
    );
  // A mail is read by somebody else than who asked for it: its link must lead where we say, not where a Host header did.
  if (given.LATCHKEY_SMTP_URL !== undefined && given.LATCHKEY_PUBLIC_URL === undefined)
    problems.push(
      `LATCHKEY_PUBLIC_URL is unset, but required because LATCHKEY_SMTP_URL is set: mailed links lead there; expected ${SETTINGS.LATCHKEY_PUBLIC_URL.bound}.`,
    );
  // Nodes that share a database must agree on it, so none may make its own.
  if (given.DATABASE_URL !== undefined && given.LATCHKEY_SECRET === undefined)
    problems.push(
      `LATCHKEY_SECRET is unset, but required because DATABASE_URL is set: every node needs the same; expected ${SETTINGS.LATCHKEY_SECRET.bound}.`,
    );
  for (const [one, other] of [
    ["LATCHKEY_SMTP_URL", "LATCHKEY_MAIL_FROM"],
    ["LATCHKEY_MAIL_FROM", "LATCHKEY_SMTP_URL"],
  ] as const)
    if (given[one] !== undefined && given[other] === undefined)
      problems.push(
        `${other} is unset, but required because ${one} is set; expected ${SETTINGS[other].bound}.`,
      );
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems);

  const values = parsed.data;
  return {
    host: values.HOST,
    port: values.PORT,
    databaseUrl: values.DATABASE_URL ?? null,
    dataFolder: values.LATCHKEY_DATA,
    publicUrl: values.LATCHKEY_PUBLIC_URL ?? null,
    leaseMs: values.LATCHKEY_LEASE_SECONDS * 1000,
    nodeName: values.LATCHKEY_NODE_NAME,
    metricsPort: values.LATCHKEY_METRICS_PORT ?? null,
    brand: values.LATCHKEY_BRAND ?? null,
    secret: values.LATCHKEY_SECRET ?? null,
    signUpOpen: values.LATCHKEY_SIGNUP === "open",
    mail: mailOf(values.LATCHKEY_SMTP_URL, values.LATCHKEY_MAIL_FROM),
    trustedProxies: values.LATCHKEY_TRUSTED_PROXIES,
    callersKept: values.LATCHKEY_CALLERS === "on",
    usageKept: {
      minutesMs: values.LATCHKEY_KEEP_MINUTES * HOUR_MS,
      hoursMs: values.LATCHKEY_KEEP_HOURS * DAY_MS,
      daysMs: values.LATCHKEY_KEEP_DAYS * DAY_MS,
      refusalsMs: values.LATCHKEY_KEEP_REFUSALS * DAY_MS,
    },
    auditKeptMs:
      values.LATCHKEY_KEEP_AUDIT === undefined ? null : values.LATCHKEY_KEEP_AUDIT * DAY_MS,
    logLevel: values.LATCHKEY_LOG_LEVEL,
  };
}

function mailOf(smtpUrl: string | undefined, from: string | undefined): GivenSettings["mail"] {
  return smtpUrl === undefined || from === undefined ? null : { smtpUrl, from };
}

function wrongVariable(name: string, value: string | undefined): string {
  const bound = Object.entries(SETTINGS).find(([known]) => known === name)?.[1].bound;
  if (SECRET_VARIABLES.has(name))
    return `${name} has ${value?.length ?? 0} characters; expected ${bound}.`;
  return `${name}=${echo(value ?? "")} is not accepted; expected ${bound}.`;
}

/** A value as a message may show it: one line, bounded, and without the password that a URL may hold. */
function echo(value: string): string {
  const safe = value.replace(/\/\/[^/]*@/, "//…@").replace(/[^\x20-\x7e]/g, "?");
  return JSON.stringify(
    safe.length > ECHO_CHARACTERS_MAX ? `${safe.slice(0, ECHO_CHARACTERS_MAX)}…` : safe,
  );
}

function unknownVariables(env: Record<string, string | undefined>): string[] {
  const known = [...Object.keys(SETTINGS), ...Object.keys(CLIENT_VARIABLES)];
  return Object.keys(env)
    .filter((name) => name.startsWith("LATCHKEY_") && !known.includes(name))
    .map((name) => {
      const near = known.reduce((best, candidate) =>
        distance(name, candidate) < distance(name, best) ? candidate : best,
      );
      return `${name.slice(0, ECHO_CHARACTERS_MAX)} is not a setting; the nearest one is ${near}.`;
    });
}

/** Levenshtein's distance: how many letters to change, add or drop to make one name the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const kept = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(kept, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
