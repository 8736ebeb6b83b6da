import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { SMTPServer } from "smtp-server";
import { waitFor } from "./child.ts";

/** A mail as a server got it. */
export interface GotMail {
  readonly to: readonly string[];
  /** Headers and text, as they came. */
  readonly raw: string;
}

/** A real mail server on loopback that keeps what it is given. */
export interface MailServer {
  /** For LATCHKEY_SMTP_URL. */
  readonly url: string;
  readonly mails: readonly GotMail[];
  /** The secret of the newest link that was mailed to an address, once there is one of this kind. */
  linkTo(address: string, path: string): Promise<string>;
  /** Refuses every recipient from now on with this reply code, or takes them again. */
  refuse(code: number | null): void;
  /** Takes mails from now on and hangs up without ever saying so, or says so again. */
  swallow(isSwallowing: boolean): void;
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startMailServer(): Promise<MailServer> {
  const mails: GotMail[] = [];
  let refusal: number | null = null;
  let isSilent = false;
  const sockets = new Set<Socket>();
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    logger: false,
    onRcptTo(_address, _session, done) {
      const refused = refusal === null ? null : new Error("refused");
      done(refused === null ? null : Object.assign(refused, { responseCode: refusal }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, raw: Buffer.concat(chunks).toString("utf8") });
        if (!isSilent) return done();
        for (const socket of sockets)
          if (socket.remotePort === session.remotePort) socket.destroy();
      });
    },
  });
  const server = smtp.listen(0, "127.0.0.1");
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the mail server is lost");
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    mails,
    linkTo: (to, path) =>
      waitFor(`a mail to ${to}`, async () =>
        mails
          .filter((mail) => mail.to.includes(to))
          .map(({ raw }) => new RegExp(`${path}#(\\S+)`).exec(joinLines(raw))?.[1])
          .findLast((secret) => secret !== undefined),
      ),
    refuse(code) {
      refusal = code;
    },
    swallow(isSwallowing) {
      isSilent = isSwallowing;
    },
    close: () => new Promise((resolve) => smtp.close(resolve)),
  };
}

/** Starts what takes connections and never says a word. */
export async function startSilentServer(): Promise<Pick<MailServer, "url" | "close">> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server is lost");
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Undoes quoted-printable (RFC 2045, section 6.7), in which long lines are folded. */
export function joinLines(raw: string): string {
  return raw
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
