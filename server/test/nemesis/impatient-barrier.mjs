/**
 * A flaw for the nemesis to find, as a loader of Node's: a barrier that waits for nodes which do not answer, but not
 * for as long as they may go on believing what they hold. All is well with it while all are well.
 *
 * A server gets it by `NODE_OPTIONS=--import=data:…`; nothing of the build is touched. Plain JavaScript, because Node
 * loads it as it stands.
 */

/** Longer than healthy nodes take, and shorter than any lease. */
const WAIT_MAX_MS = 250;

const FLAW = `
export function createBarrier(options) {
  const sound = soundBarrier(options);
  const giveUp = (seq) => ({ seq, effectiveAtMs: Date.now(), tookMs: ${WAIT_MAX_MS}, acknowledged: 1, lapsed: 0 });
  return {
    ...sound,
    complete(seq) {
      const proved = sound.complete(seq);
      proved.catch(() => {});
      return Promise.race([
        proved,
        new Promise((resolve) => setTimeout(() => resolve(giveUp(seq)), ${WAIT_MAX_MS})),
      ]);
    },
  };
}
`;

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith("/domain/revocation/barrier.js")) return loaded;
  const sound = String(loaded.source);
  const source = sound.replace("export function createBarrier(", "function soundBarrier(");
  if (source === sound) throw new Error("there is no barrier to plant a flaw in");
  return { ...loaded, source: source + FLAW };
}
