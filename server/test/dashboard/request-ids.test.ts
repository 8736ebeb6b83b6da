import { expect, test } from "vitest";
import { requestIdIn } from "../../../dashboard/src/request-ids.ts";

const id = "req_7Jc0mQ2xkV4dRb9sYtHn3WfA";

test.each([
  ["the id alone", id],
  ["with blanks around it", `  ${id}\n`],
  ["the line of a header", `X-Request-Id: ${id}`],
  ["the body of an error", `{"code":"api_key_missing","request_id":"${id}","status":401}`],
  ["a sentence of a customer", `It says (request ${id}).`],
])("a request id is found in %s", (_name, pasted) => {
  expect(requestIdIn(pasted)).toBe(id);
});

test.each([
  "",
  "req_",
  "req_short",
  "sk_7Jc0mQ2xkV4dRb9sYtHn3WfA0000",
  "REQ_7JC0MQ2XKV4DRB9SYTHN3WFA",
])("there is none in “%s”", (pasted) => {
  expect(requestIdIn(pasted)).toBeNull();
});
