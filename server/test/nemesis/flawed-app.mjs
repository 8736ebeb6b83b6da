/**
 * Flaws for the nemesis to find in an app, as a loader of Node's: the SDK as it was built, with one rule of it turned
 * off. An app gets one by `NODE_OPTIONS=--import=data:…`; nothing of the build is touched. Plain JavaScript, because
 * Node loads it as it stands.
 */

/** By name: where in `sdk/dist/lease` it is, what stands there, and what stands there instead. */
const FLAWS = {
  "acknowledges-and-does-not-apply": {
    file: "upstream.js",
    sound: "lookup.apply(frame.change);",
    flawed: "",
  },
  "keeps-its-cache-across-sessions": {
    file: "upstream.js",
    sound: /(retryMs = RETRY_FIRST_MS;)\s*lookup\.drop\(\);\s*lookup\.forget\(\);/,
    flawed: "$1",
  },
  "believes-for-longer-than-granted": {
    file: "upstream.js",
    sound: "ms * (1 - RATE_ALLOWANCE)",
    flawed: "ms * 3",
  },
};

let flaw;

export function initialize(name) {
  flaw = FLAWS[name];
  if (flaw === undefined) throw new Error(`there is no flaw ${name}`);
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith(`/sdk/dist/lease/${flaw.file}`)) return loaded;
  const sound = String(loaded.source);
  const source = sound.replace(flaw.sound, flaw.flawed);
  if (source === sound) throw new Error("the rule to turn off is not there");
  return { ...loaded, source };
}
