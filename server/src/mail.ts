import { createTransport } from "nodemailer";
import type { GivenSettings } from "./config.ts";
import { isLoopback } from "./setting-values.ts";

/** A mail as its reader sees it. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  /** Plain text: nothing in it is fetched, tracked or styled. */
  readonly text: string;
}

/** Sends mail. Rejects when the server did not take it; what it does with it then is its own affair. */
export type SendMail = (mail: Mail) => Promise<void>;

const ANSWER_TIMEOUT_MS = 5_000;

/** Mails under way at one time; more wait. */
const CONNECTIONS_MAX = 3;

/**
 * Opens the way to the mail server, through nodemailer.
 *
 * @param answerTimeoutMs Connecting, greeting and each answer of the mail server may take so long.
 * @returns `null` where no mail server is set. Off loopback nothing is sent in the clear: TLS from the start (`smtps:`),
 *   or STARTTLS, which is then insisted on.
 */
export function openMail(
  mail: GivenSettings["mail"],
  answerTimeoutMs = ANSWER_TIMEOUT_MS,
): { send: SendMail; close(): void } | null {
  if (mail === null) return null;
  const url = new URL(mail.smtpUrl);
  const secure = url.protocol === "smtps:";
  const transport = createTransport({
    pool: true,
    maxConnections: CONNECTIONS_MAX,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: !secure && !isLoopback(url.hostname),
    ...(url.username === ""
      ? {}
      : {
          auth: {
            user: decodeURIComponent(url.username),
            pass: decodeURIComponent(url.password),
          },
        }),
    connectionTimeout: answerTimeoutMs,
    greetingTimeout: answerTimeoutMs,
    socketTimeout: answerTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text }) {
      await transport.sendMail({ from: mail.from, to, subject, text });
    },
    close: () => transport.close(),
  };
}
