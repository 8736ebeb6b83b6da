import { type DestinationStream, type Logger, pino } from "pino";
import type { Settings } from "./config.ts";

/** Fields that hold a secret wherever they stand; their values never reach the log. */
const SECRET_FIELDS = [
  "authorization",
  "Authorization",
  "cookie",
  "Cookie",
  '["set-cookie"]',
  "api_key",
  "secret_key",
  "token",
  "service_token",
  "verifier_token",
  "operator_token",
  "setup_secret",
  "secret",
  "password",
  "passwordHash",
  "digest",
] as const;

/** Anything that reads like one of our tokens, wherever it stands in a line: in a message, a URL, a stack. */
const TOKEN = /\b(sk|pk|st|vt|ot)_(?:[a-z0-9]{2,16}_)?[0-9A-Za-z]{36}/g;

/**
 * Opens the log: one JSON object a line. Tokens and passwords never reach it, by two walls: fields known to hold one
 * are redacted at up to three levels, and whatever reads like a token is cut out of the finished line.
 *
 * @param destination Where lines go; standard error for the real one, so that standard output stays for people and JSON.
 */
export function openLog(level: Settings["logLevel"], destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => {
          const below = field.startsWith("[") ? field : `.${field}`;
          return [field, `*${below}`, `*.*${below}`];
        }),
        censor: "[redacted]",
      },
      hooks: { streamWrite: (line) => line.replace(TOKEN, "$1_[redacted]") },
    },
    destination,
  );
}
