import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { tokenMaker } from "./domain/tokens.ts";
import { openLog } from "./log.ts";

test.each(["sk", "pk", "st", "vt", "ot"] as const)(
  "a %s_ token reaches no line of the log, wherever it stands",
  (prefix) => {
    for (const brand of [null, "acme"]) {
      const { token } = tokenMaker(randomBytes, brand)(prefix);
      let written = "";
      const log = openLog("trace", {
        write: (line) => {
          written += line;
        },
      });
      log.info(`got ${token}`);
      log.error({ err: new Error(`bad ${token}`), url: `/x?k=${token}` }, "failed");
      log.info({ headers: { authorization: `Bearer ${token}` } }, "request");
      log.info({ deep: { er: { still: [token] } } }, "nested");
      expect(written.split("\n").filter(Boolean)).toHaveLength(4);
      expect(written).not.toContain(token);
      expect(written).not.toContain(token.slice(-36));
    }
  },
);

test("fields that hold secrets are redacted at three levels", () => {
  let written = "";
  const log = openLog("info", {
    write: (line) => {
      written += line;
    },
  });
  const secrets = {
    password: "hunter2",
    cookie: "hunter2",
    "set-cookie": "hunter2",
    setup_secret: "hunter2",
    secret: "hunter2",
  };
  log.info({ ...secrets, body: { ...secrets, inner: secrets } }, "hello");
  expect(written).not.toContain("hunter2");
  expect(written).toContain("[redacted]");
});
