import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { waitFor } from "./child.ts";
import { openTcpLink, type TcpLink } from "./tcp-link.ts";

/** Answers every request with itself in capitals. */
let server: Server;
/** What reached the server. */
let arrived: string;
let served: Socket[];
let link: TcpLink;
const clients: Client[] = [];

interface Client {
  readonly socket: Socket;
  /** What came back. */
  received(): string;
}

async function connected(): Promise<Client> {
  const socket = connect(link.port, "127.0.0.1").setEncoding("utf8");
  let received = "";
  socket.on("data", (text) => {
    received += text;
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  const client = { socket, received: () => received };
  clients.push(client);
  return client;
}

const until = (what: string, is: () => boolean) => waitFor(what, () => is() || undefined);

/** Resolves when bytes sent now over another link to the same server are back: what could pass has passed. */
async function aRoundTripLater(): Promise<void> {
  const other = await openTcpLink(portOf(server));
  const socket = connect(other.port, "127.0.0.1");
  socket.write("x");
  await once(socket, "data");
  await other.close();
}

function portOf(listening: Server): number {
  const address = listening.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

beforeEach(async () => {
  arrived = "";
  served = [];
  server = createServer((socket) => {
    served.push(socket);
    socket.setEncoding("utf8").on("data", (text: string) => {
      arrived += text;
      socket.write(text.toUpperCase());
    });
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  link = await openTcpLink(portOf(server));
});
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await link.close();
  server.close();
});

test("a link that is cut holds back what is sent that way, and lets it through in order when healed", async () => {
  const client = await connected();
  client.socket.write("a");
  await until("an answer", () => client.received() === "A");

  link.cut("requests");
  client.socket.write("b");
  client.socket.write("c");
  await aRoundTripLater();
  expect(arrived).toBe("ax");
  link.heal();
  await until("the held requests", () => arrived === "axbc");
  await until("their answers", () => client.received() === "ABC");

  link.cut("answers");
  client.socket.write("d");
  await until("the request", () => arrived === "axbcd");
  await aRoundTripLater();
  expect(client.received()).toBe("ABC");
  link.heal();
  await until("the held answer", () => client.received() === "ABCD");
});

test("nobody is told of a cut: the end of a connection does not pass either, and arrives after what was sent", async () => {
  const client = await connected();
  client.socket.write("a");
  await until("an answer", () => client.received() === "A");
  const ended = once(served[0] ?? server, "end");
  link.cut("both");
  client.socket.write("b");
  client.socket.end();
  await aRoundTripLater();
  expect([arrived, served[0]?.readableEnded, client.socket.destroyed]).toEqual([
    "ax",
    false,
    false,
  ]);
  link.heal();
  await ended;
  expect(arrived).toBe("axb");
});

test("a connection made during a cut waits, and is made when it is healed", async () => {
  link.cut("answers");
  const client = await connected();
  client.socket.write("a");
  await aRoundTripLater();
  expect([arrived, client.received()]).toEqual(["x", ""]);
  link.heal();
  await until("an answer", () => client.received() === "A");
});

test("a reset ends what there was, and nothing new", async () => {
  const client = await connected();
  client.socket.write("a");
  await until("an answer", () => client.received() === "A");
  link.reset();
  await until("the end of the connection", () => client.socket.destroyed);
  const next = await connected();
  next.socket.write("b");
  await until("an answer", () => next.received() === "B");
});

test("a lost answer is one whose request was served", async () => {
  const client = await connected();
  link.loseAnswerTo("commit");
  client.socket.write("a");
  await until("an answer", () => client.received() === "A");
  client.socket.write("commit");
  await until("the end of the connection", () => client.socket.destroyed);
  expect([arrived, client.received()]).toEqual(["acommit", "A"]);
});
