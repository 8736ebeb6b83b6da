/**
 * Flaws for the nemesis to find in a node, as a loader of Node's: the server as it was built, with what it does about
 * service tokens done wrong. A node gets one by `NODE_OPTIONS=--import=data:…`; nothing of the build is touched. Plain
 * JavaScript, because Node loads it as it stands.
 */

const FLAWS = {
  /** Saves a read of the store for a while, as everybody does. */
  "remembers-service-tokens": {
    file: "/http/callers.js",
    sound: "store.findToken(digestToken(",
    flawed: `((digest) => {
      const held = (globalThis.heldTokens ??= new Map()).get(digest);
      if (held !== undefined && performance.now() - held.atMs < 5_000) return held.token;
      return store.findToken(digest).then((token) => {
        globalThis.heldTokens.set(digest, { token, atMs: performance.now() });
        return token;
      });
    })(digestToken(`,
  },
  /** Forgets the keys when their service token is deleted. */
  "leaves-exchanged-keys": {
    file: "/store/exchange.js",
    sound: "const rows = await holdLiving(",
    flawed: "const rows = []; void (",
  },
};

let flaw;

export function initialize(name) {
  flaw = FLAWS[name];
  if (flaw === undefined) throw new Error(`there is no flaw ${name}`);
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith(flaw.file)) return loaded;
  const sound = String(loaded.source);
  const source = sound.replace(flaw.sound, flaw.flawed);
  if (source === sound) throw new Error("the rule to turn off is not there");
  return { ...loaded, source };
}
