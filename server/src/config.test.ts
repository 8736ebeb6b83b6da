import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CLIENT_VARIABLES, readSettings, SETTINGS, SettingsError } from "./config.ts";
import { isLoopback } from "./setting-values.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function problems(env: Record<string, string>): string {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return "";
}

test("without any variable the server stays on loopback, with its data in ./data", () => {
  expect(readSettings({})).toEqual({
    host: "127.0.0.1",
    port: 4400,
    databaseUrl: null,
    dataFolder: "./data",
    publicUrl: null,
    leaseMs: 10_000,
    nodeName: "latchkey",
    metricsPort: null,
    brand: null,
    secret: null,
    signUpOpen: false,
    mail: null,
    trustedProxies: [],
    callersKept: true,
    usageKept: {
      minutesMs: 24 * HOUR_MS,
      hoursMs: 90 * DAY_MS,
      daysMs: 800 * DAY_MS,
      refusalsMs: 30 * DAY_MS,
    },
    auditKeptMs: null,
    logLevel: "info",
  });
});

test("an empty variable counts as unset", () => {
  expect(readSettings({ LATCHKEY_METRICS_PORT: "", LATCHKEY_BRAND: "" })).toEqual(readSettings({}));
});

test("every setting is read", () => {
  const settings = readSettings({
    HOST: "0.0.0.0",
    PORT: "0",
    DATABASE_URL: "postgres://ada@db/latchkey",
    LATCHKEY_DATA: "/srv/latchkey",
    LATCHKEY_PUBLIC_URL: "https://Keys.Example.com:443/",
    LATCHKEY_LEASE_SECONDS: "60",
    LATCHKEY_NODE_NAME: "eu-1",
    LATCHKEY_METRICS_PORT: "9464",
    LATCHKEY_BRAND: "acme",
    LATCHKEY_SECRET: "s".repeat(32),
    LATCHKEY_SIGNUP: "open",
    LATCHKEY_SMTP_URL: "smtps://ada:hunter2@mail.example.com",
    LATCHKEY_MAIL_FROM: "keys@example.com",
    LATCHKEY_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
    LATCHKEY_CALLERS: "off",
    LATCHKEY_KEEP_MINUTES: "2",
    LATCHKEY_KEEP_HOURS: "400",
    LATCHKEY_KEEP_DAYS: "35",
    LATCHKEY_KEEP_REFUSALS: "365",
    LATCHKEY_KEEP_AUDIT: "36500",
    LATCHKEY_LOG_LEVEL: "warn",
  });
  expect(settings).toEqual({
    host: "0.0.0.0",
    port: 0,
    databaseUrl: "postgres://ada@db/latchkey",
    dataFolder: "/srv/latchkey",
    publicUrl: "https://keys.example.com",
    leaseMs: 60_000,
    nodeName: "eu-1",
    metricsPort: 9464,
    brand: "acme",
    secret: "s".repeat(32),
    signUpOpen: true,
    mail: { smtpUrl: "smtps://ada:hunter2@mail.example.com", from: "keys@example.com" },
    trustedProxies: ["10.0.0.0/8", "::1"],
    callersKept: false,
    usageKept: {
      minutesMs: 2 * HOUR_MS,
      hoursMs: 400 * DAY_MS,
      daysMs: 35 * DAY_MS,
      refusalsMs: 365 * DAY_MS,
    },
    auditKeptMs: 36_500 * DAY_MS,
    logLevel: "warn",
  });
});

test.each([
  ["HOST", "example.com"],
  ["HOST", "1"],
  ["PORT", "65536"],
  ["PORT", "-1"],
  ["PORT", "1e3"],
  ["PORT", " 80"],
  ["DATABASE_URL", "mysql://db/latchkey"],
  ["DATABASE_URL", "db/latchkey"],
  ["LATCHKEY_DATA", "a\0b"],
  ["LATCHKEY_PUBLIC_URL", "keys.example.com"],
  ["LATCHKEY_PUBLIC_URL", "http://keys.example.com"],
  ["LATCHKEY_PUBLIC_URL", "https://keys.example.com/path"],
  ["LATCHKEY_PUBLIC_URL", "https://user:pass@keys.example.com"],
  ["LATCHKEY_LEASE_SECONDS", "0"],
  ["LATCHKEY_LEASE_SECONDS", "61"],
  ["LATCHKEY_LEASE_SECONDS", "1.5"],
  ["LATCHKEY_NODE_NAME", "two words"],
  ["LATCHKEY_NODE_NAME", "n".repeat(65)],
  ["LATCHKEY_METRICS_PORT", "65536"],
  ["LATCHKEY_METRICS_PORT", "127.0.0.1:9464"],
  ["LATCHKEY_BRAND", "a"],
  ["LATCHKEY_BRAND", "Acme"],
  ["LATCHKEY_SECRET", "s".repeat(31)],
  ["LATCHKEY_SIGNUP", "closed"],
  ["LATCHKEY_SMTP_URL", "mail.example.com:587"],
  ["LATCHKEY_SMTP_URL", "https://mail.example.com"],
  ["LATCHKEY_SMTP_URL", "smtp://mail.example.com/?name=x"],
  ["LATCHKEY_SMTP_URL", "smtp://mail.example.com/box"],
  ["LATCHKEY_SMTP_URL", "smtp://ada:100%@mail.example.com"],
  ["LATCHKEY_MAIL_FROM", "keys"],
  ["LATCHKEY_KEEP_AUDIT", "29"],
  ["LATCHKEY_KEEP_AUDIT", "36501"],
  ["LATCHKEY_TRUSTED_PROXIES", "10.0.0.0/33"],
  ["LATCHKEY_TRUSTED_PROXIES", "10"],
  ["LATCHKEY_TRUSTED_PROXIES", "10.0.0.0/8/8"],
  ["LATCHKEY_TRUSTED_PROXIES", Array.from({ length: 65 }, (_, i) => `10.0.0.${i}`).join(",")],
  ["LATCHKEY_CALLERS", "false"],
  ["LATCHKEY_KEEP_MINUTES", "1"],
  ["LATCHKEY_KEEP_MINUTES", "169"],
  ["LATCHKEY_KEEP_MINUTES", "24h"],
  ["LATCHKEY_KEEP_HOURS", "1"],
  ["LATCHKEY_KEEP_HOURS", "401"],
  ["LATCHKEY_KEEP_DAYS", "34"],
  ["LATCHKEY_KEEP_DAYS", "3651"],
  ["LATCHKEY_KEEP_REFUSALS", "0"],
  ["LATCHKEY_KEEP_REFUSALS", "366"],
  ["LATCHKEY_LOG_LEVEL", "loud"],
])("%s=%s is refused, and the message names the variable", (name, value) => {
  expect(problems({ [name]: value })).toContain(`  ${name}`);
});

test("all wrong settings are named in one message", () => {
  const message = problems({
    HOST: "0.0.0.0",
    PORT: "x",
    LATCHKEY_LEASE_SECONDS: "0",
    LATCHKEY_BRAND: "!",
    LATCHKEY_LEASE: "5",
  });
  expect(message).toMatch(/^5 settings are wrong:/);
  for (const name of [
    "PORT",
    "LATCHKEY_PUBLIC_URL",
    "LATCHKEY_LEASE_SECONDS",
    "LATCHKEY_BRAND",
    "LATCHKEY_LEASE",
  ])
    expect(message).toContain(`  ${name}`);
});

test("no message repeats a secret, a database's password or a credential in a URL", () => {
  const message = problems({
    LATCHKEY_SECRET: "hunter2",
    DATABASE_URL: "mysql://ada:hunter2@db/latchkey",
    LATCHKEY_PUBLIC_URL: "https://ada:hunter2@keys.example.com",
    LATCHKEY_SMTP_URL: "imap://ada:hunter2@mail.example.com",
  });
  expect(message).toContain("LATCHKEY_SECRET has 7 characters");
  expect(message).not.toContain("hunter2");
});

test("with Postgres the secret must be given, for every node needs the same", () => {
  const env = { DATABASE_URL: "postgres://ada:hunter2@db/latchkey" };
  expect(problems(env)).toMatch(/^A setting is wrong:\n {2}LATCHKEY_SECRET is unset/);
  expect(problems(env)).not.toContain("hunter2");
  expect(problems({ ...env, LATCHKEY_SECRET: "s".repeat(32) })).toBe("");
});

test("with mail the origin must be given: no Host header decides where a mailed link leads", () => {
  const env = {
    LATCHKEY_SMTP_URL: "smtp://ada:hunter2@127.0.0.1:1025",
    LATCHKEY_MAIL_FROM: "keys@example.com",
  };
  expect(problems(env)).toMatch(/^A setting is wrong:\n {2}LATCHKEY_PUBLIC_URL is unset/);
  expect(problems(env)).not.toContain("hunter2");
  expect(problems({ ...env, LATCHKEY_PUBLIC_URL: "http://127.0.0.1:4400" })).toBe("");
});

test.each([
  ["LATCHKEY_SMTP_URL", "smtp://127.0.0.1:1025", "LATCHKEY_MAIL_FROM"],
  ["LATCHKEY_MAIL_FROM", "keys@example.com", "LATCHKEY_SMTP_URL"],
])("%s alone is refused: mail needs a server and a sender", (name, value, missing) => {
  const LATCHKEY_PUBLIC_URL = "http://127.0.0.1:4400";
  expect(problems({ LATCHKEY_PUBLIC_URL, [name]: value })).toMatch(
    new RegExp(`^A setting is wrong:\\n {2}${missing} is unset`),
  );
});

test("a mistyped variable is named, with the one that was meant", () => {
  expect(problems({ LATCHKEY_LEASE_SECOND: "5" })).toContain(
    "LATCHKEY_LEASE_SECOND is not a setting; the nearest one is LATCHKEY_LEASE_SECONDS.",
  );
});

test("variables of the client's side are no typos", () => {
  const env = Object.fromEntries(Object.keys(CLIENT_VARIABLES).map((name) => [name, "x"]));
  expect(problems(env)).toBe("");
});

test.each(["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"])(
  "%s is loopback",
  (host) => expect(isLoopback(host)).toBe(true),
);

test.each(["0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", ""])(
  "%s is not loopback",
  (host) => expect(isLoopback(host)).toBe(false),
);

test("docs/operating.md has exactly the settings there are, with their defaults and bounds", () => {
  const text = readFileSync(new URL("../../docs/operating.md", import.meta.url), "utf8");
  const documented = [...text.matchAll(/^\| `([A-Z_]+)` +\| (.+?) +\| (.+?) +\| (.+?) +\|$/gm)].map(
    ([, ...cells]) => cells,
  );
  const actual = Object.entries(SETTINGS).map(([name, { purpose, fallback, bound }]) => [
    name,
    purpose,
    fallback,
    bound,
  ]);
  expect(documented).toEqual(actual);
});
