import { z } from "@hono/zod-openapi";
import type { KeyDeps } from "../domain/keys.ts";
import { rotateKey } from "../domain/rotation.ts";
import { keyIdInPath, nothing, overlapSeconds, time } from "./fields.ts";
import { apiKeyJson, shapeKey } from "./keys.ts";
import { inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";

/** `/v1/api_keys/:id/rotate`: replaces a key by its successor. */
export function rotationRoutes(deps: KeyDeps): readonly Route[] {
  return [rotate(deps)];
}

const rotate = (deps: KeyDeps): Route =>
  route({
    method: "post",
    path: "/v1/api_keys/:id/rotate",
    summary:
      "Replace an API key by a successor, whose token is in this answer and never again, and end the old one after an overlap",
    permission: inAccount("keys:write"),
    params: keyIdInPath,
    query: nothing,
    body: z
      .strictObject({
        overlap_seconds: overlapSeconds(0).openapi({
          description: "How long the old key is accepted beside its successor; 0 revokes it.",
        }),
        starts: z.enum(["now", "first_use"]).default("now").openapi({
          description: "From when that counts; `first_use` is the successor's.",
        }),
        expires_at: time
          .nullable()
          .optional()
          .openapi({
            type: ["string", "null"],
            format: "date-time",
            description:
              "The successor's own end, `null` for none. Unless given it lives as long as the old key was made for.",
          }),
      })
      .refine((body) => body.overlap_seconds > 0 || body.starts === "now", {
        path: ["starts"],
        message: "Must be now where there is no overlap.",
      }),
    response: apiKeyJson.extend({ predecessor: apiKeyJson }).openapi("RotatedApiKey"),
    statuses: [201],
    once: true,
    async handle({ caller, params, body, origin, once }) {
      const { overlap_seconds: seconds, starts, expires_at: expiresAtMs } = body;
      const ask = {
        overlapMs: seconds * 1_000,
        starts,
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      };
      const by = origin(caller.actor);
      const rotated = await rotateKey(deps, caller.account, params.id, ask, by, once);
      const token = rotated.replayed ? null : rotated.token;
      const predecessor = shapeKey(rotated.predecessor);
      return {
        status: 201,
        body: { ...shapeKey(rotated.successor, token), predecessor },
        replayed: rotated.replayed,
      };
    },
  });
