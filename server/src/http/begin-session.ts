import type { Logger } from "pino";
import type { HttpBindings } from "./front.ts";
import type { Begun, SignIn } from "./sign-in.ts";

/** Signs somebody in who was just made. What made them is done either way: that the session could not begin undoes nothing. */
export async function beginSession(
  { signIn, logger }: { readonly signIn: Pick<SignIn, "begin">; readonly logger: Logger },
  { email, password }: { readonly email: string; readonly password: string },
  caller: HttpBindings,
): Promise<Begun> {
  try {
    return await signIn.begin({ email, password }, caller);
  } catch (err) {
    logger.error({ err, requestId: caller.requestId }, "signed up, but not signed in");
    return { cookies: [], confirmationMailed: false };
  }
}
