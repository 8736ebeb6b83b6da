// A notes API behind nginx or Caddy, which ask Latchkey and say who calls: `PORT=3000 node examples/notes-api.mjs`.
// It believes those headers, so nobody but the proxy may reach it: loopback only. docs/proxies.md has the rest.
import { createServer } from "node:http";

const BODY_BYTES_MAX = 16 * 1024;
const NOTES_MAX = 1_000;
const ID = /^(acc|env)_[0-9a-f]{32}$/; // two headers joined by a proxy that lets callers add one do not match
const notesOf = new Map(); // "<account id> <environment id>" → notes: the wall between environments

const server = createServer(async (req, res) => {
  const answer = (status, body) =>
    res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  const fail = (status, code, message) => answer(status, { code, message, status });
  try {
    const wall = [req.headers["x-latchkey-account-id"], req.headers["x-latchkey-environment-id"]];
    if (!wall.every((id) => ID.test(id)))
      return fail(500, "no_identity", "The proxy in front did not say who calls.");
    const notes = notesOf.get(wall.join(" ")) ?? [];
    const ask = `${req.method} ${req.url.split("?")[0]}`;
    if (ask === "GET /notes") return answer(200, { notes });
    if (ask === "GET /public/notes") return answer(200, { notes: notes.filter((n) => n.public) });
    if (ask !== "POST /notes") return fail(404, "resource_missing", "There is nothing here.");
    let text = "";
    for await (const chunk of req.setEncoding("utf8")) {
      text += chunk;
      if (text.length > BODY_BYTES_MAX) return fail(413, "too_large", "The note is too large.");
    }
    const note = JSON.parse(text);
    if (typeof note?.text !== "string") return fail(422, "invalid_params", "text is a string.");
    if (notes.length >= NOTES_MAX) return fail(409, "conflict", "There are too many notes.");
    notesOf.set(wall.join(" "), [...notes, { text: note.text, public: note.public === true }]);
    answer(201, notesOf.get(wall.join(" ")).at(-1));
  } catch {
    fail(400, "invalid_request", "The body is not JSON.");
  }
});
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () =>
  console.log(`The notes API listens on http://127.0.0.1:${server.address().port}`),
);
