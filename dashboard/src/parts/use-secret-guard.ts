import { useBlocker } from "@tanstack/react-router";
import { useEffect } from "react";
import { holdSecret } from "../session.ts";

const question = "The token is shown only this once. Leave without saving it?";

/** While `active`, leaving the page asks first, and an ended session waits for the token to be put away. */
export function useSecretGuard(active: boolean): void {
  useEffect(() => (active ? holdSecret() : undefined), [active]);
  useBlocker({
    shouldBlockFn: () => !window.confirm(question),
    enableBeforeUnload: () => active,
    disabled: !active,
  });
}
