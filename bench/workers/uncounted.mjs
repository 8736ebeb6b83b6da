/** A loader of Node's: the SDK as it was built, whose tally counts nothing. What counting costs is measured against it. */
import { register } from "node:module";

const UNCOUNTED = `
  export const createTally = () => ({
    accepted() {},
    refused() {},
    drain: () => ({ counts: [], refusals: [] }),
    totals: {},
  });
`;

register(
  `data:text/javascript,${encodeURIComponent(`
    export async function load(url, context, nextLoad) {
      const loaded = await nextLoad(url, context);
      if (!url.endsWith("/sdk/dist/tally.js")) return loaded;
      if (!String(loaded.source).includes("createTally")) throw new Error("there is no tally");
      return { ...loaded, source: ${JSON.stringify(UNCOUNTED)} };
    }
  `)}`,
);
