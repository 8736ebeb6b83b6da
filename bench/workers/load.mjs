/** Starts one server and answers each message with a measurement of it under load, which this process generates. */
import { readFileSync } from "node:fs";
import autocannon from "autocannon";
import { headerOf, spawnServer, startServer, tokenOf } from "../world.mjs";

const { folder, serverFlags, bare, path, keys, connections, warmUpSeconds, seconds } = JSON.parse(
  process.argv[2],
);

function start() {
  if (bare === undefined) return startServer(folder, serverFlags);
  const script = new URL("bare-server.mjs", import.meta.url).pathname;
  return spawnServer([script, JSON.stringify({ ...bare, keys })], {});
}

/** CPU time of the server so far, in s: `utime` and `stime` of Linux; `null` elsewhere. */
function cpuSeconds() {
  try {
    const stat = readFileSync(`/proc/${server.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100; // USER_HZ is 100 on every Linux that Node runs on
  } catch {
    return null;
  }
}

async function load(duration) {
  const requests = Array.from({ length: keys }, (_, index) => ({
    method: "GET",
    path,
    headers: { Authorization: headerOf(tokenOf(index)), "User-Agent": "orders/4.2 (linux)" },
  }));
  const cpuBefore = cpuSeconds();
  const result = await autocannon({ url: server.url, connections, duration, requests });
  const cpuAfter = cpuSeconds();
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were not 200, ${result.errors} requests failed`);
  const total = result.requests.total;
  return {
    perSecond: total / result.duration,
    cpuUs: cpuBefore === null ? null : ((cpuAfter - cpuBefore) * 1e6) / total,
    busy: cpuBefore === null ? null : (cpuAfter - cpuBefore) / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    bytes: result.throughput.total / total,
  };
}

const server = await start();
process.on("message", async () => process.send(await load(seconds)));
process.on("disconnect", () => server.stop());
try {
  await load(warmUpSeconds);
  process.send("ready");
} catch (error) {
  await server.stop();
  throw error;
}
