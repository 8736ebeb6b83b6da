/**
 * The lines with which a program verifies keys, as in the README. An address off loopback must be https, as it is
 * wherever this page is.
 *
 * @param verifierToken Shown as the value of the variable; left out where the lines may end up in a repository.
 */
export function verifierProgram(verifierToken = "vt_…"): string {
  return `// npm install @latchkey/sdk; LATCHKEY_VERIFIER_TOKEN=${verifierToken}
import { connectVerifier } from "@latchkey/sdk";

const verifier = await connectVerifier({
  url: "${window.location.origin}",
  token: process.env.LATCHKEY_VERIFIER_TOKEN,
});
const verdict = await verifier.verify(request.headers.authorization, { types: ["secret"] });
if (verdict.ok) console.log(verdict.key.account.slug, verdict.key.environment.slug);
else console.log(verdict.refusal.message);`;
}
