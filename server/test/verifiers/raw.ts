import { once } from "node:events";
import { connect } from "node:net";
import { SUBPROTOCOL } from "@latchkey/sdk/core";
import WebSocket from "ws";

/** An answer as it came, byte by byte. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What every handshake of a WebSocket says, the token excepted. */
export const HANDSHAKE: Readonly<Record<string, string>> = {
  Host: "127.0.0.1",
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
  "Sec-WebSocket-Protocol": SUBPROTOCOL,
};

/** A request as text; a header may be there twice. */
export function requestText(line: string, headers: readonly (readonly string[])[], body = "") {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${line} HTTP/1.1\r\n${lines}\r\n${body}`;
}

/** A connection by hand, whose own end stays open until the test closes it. */
export async function openRaw(url: string) {
  const socket = connect({
    port: Number(new URL(url).port),
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  socket.on("error", () => {}); // a reset is an end too
  await once(socket, "connect");
  let text = "";
  socket.setEncoding("latin1").on("data", (part) => {
    text += part;
  });
  const ended = new Promise<void>((resolve) => {
    socket.once("end", resolve);
    socket.once("close", () => resolve());
  });
  return {
    socket,
    send: (bytes: string) => void socket.write(bytes, "latin1"),
    text: () => text,
    /** Resolves when the server has ended its side. */
    ended,
    /** Resolves when the connection is gone altogether. */
    gone: new Promise<void>((resolve) => socket.once("close", () => resolve())),
  };
}

/** Sends one request, and reads until the server ends its side. */
export async function exchange(url: string, request: string): Promise<RawAnswer> {
  const raw = await openRaw(url);
  raw.send(request);
  await raw.ended;
  raw.socket.destroy();
  return parseAnswer(raw.text());
}

/** A text frame as a client sends it, masked with zeros (RFC 6455, section 5.2). */
export function maskedText(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new Error("a longer frame needs another header");
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** The first answer in what a server said. */
export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(first.split(" ")[1]),
    headers: Object.fromEntries(headers),
    body: text.slice(end + 4),
  };
}

/** A verifier that says what the test wants: a WebSocket with every frame that came. */
export async function openVerifier(
  url: string,
  token: string,
  options: WebSocket.ClientOptions = {},
) {
  const address = `${url.replace("http", "ws")}/v1/verifier`;
  const socket = new WebSocket(address, SUBPROTOCOL, {
    perMessageDeflate: false,
    headers: { Authorization: `Bearer ${token}` },
    ...options,
  });
  // biome-ignore lint/suspicious/noExplicitAny: what a server says is for the test to judge
  const frames: any[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data))));
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  await once(socket, "open");
  let number = 0;
  return {
    socket,
    frames,
    /** Resolves to the code with which it was closed. */
    closed,
    /** Sends a frame with the next number. */
    send(frame: object) {
      number += 1;
      socket.send(JSON.stringify({ n: number, ...frame }));
    },
    /** Frames of one type. */
    of: (type: string) => frames.filter((frame) => frame.type === type),
  };
}
