/** An app with the SDK: tells for each token that it is sent what its verifier says, and verifies others meanwhile. */
import { connectVerifier } from "../../sdk/dist/index.js";

const ASK = { types: ["secret"] };

const { url, verifierToken, tokens, everyMs } = JSON.parse(process.argv[2]);
const verifier = await connectVerifier({ url, token: verifierToken });

async function outcome(token) {
  try {
    return (await verifier.verify(token, ASK)).ok ? "accepted" : "refused";
  } catch (error) {
    if (error.code === "verification_unavailable") return "unavailable";
    throw error;
  }
}

const load = setInterval(() => {
  for (const token of tokens) void outcome(token);
}, everyMs);
process.on("message", async (token) => process.send(await outcome(token)));
process.on("disconnect", async () => {
  clearInterval(load);
  await verifier.close();
});
process.send("ready");
