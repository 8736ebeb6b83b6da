/** How every measurement here is taken: a fresh process for each, in alternating order, compared pair by pair. */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";

/** A worker that has not answered by then is ended: nothing here takes a tenth of it. */
const WORKER_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 15_000;

/**
 * Runs `workers/<name>.mjs` in a process of its own and resolves to the one JSON document it writes.
 *
 * @param input Handed to the worker as JSON, its first argument.
 * @param flags For Node, e.g. `--expose-gc`.
 * @param timeoutMs Longer for a worker that is known to take long.
 */
export function runWorker(name, input, flags = [], timeoutMs = WORKER_TIMEOUT_MS) {
  const path = new URL(`workers/${name}.mjs`, import.meta.url).pathname;
  const child = spawn(process.execPath, [...flags, path, JSON.stringify(input)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part) => {
      text += part;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(text));
      else reject(new Error(`the worker ${name} ended with ${code ?? "a signal"}`));
    });
  });
}

/**
 * Measures each variant once a round, in turned order every other round (A B, B A, …), so that a machine that warms
 * up or is busy for a while favours nobody.
 *
 * @param measure Called with a variant's name; resolves to its measurement.
 * @returns The measurements of each variant, by round.
 */
export async function inRounds(variants, rounds, measure) {
  const measured = Object.fromEntries(variants.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      process.stderr.write(`  round ${round + 1} of ${rounds}: ${variant}\n`);
      measured[variant].push(await measure(variant));
    }
  }
  return measured;
}

/**
 * Measures variants against one another where neighbouring batches must share their noise: one process for each, all
 * alive, asked in turn for a batch each (A B, B A, …), anew with fresh processes in each round.
 *
 * @param inputs What each variant's process is told, by the variant's name; `flags` are Node's.
 * @returns The batches of each variant, by round.
 */
export async function inTurns(name, inputs, { rounds, batches }) {
  const variants = Object.keys(inputs);
  const measured = Object.fromEntries(variants.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`  round ${round + 1} of ${rounds}\n`);
    const workers = {};
    try {
      for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
        workers[variant] = await startWorker(name, inputs[variant]);
        measured[variant].push([]);
      }
      for (let at = 0; at < batches; at++)
        for (const variant of at % 2 === 0 ? variants : variants.toReversed())
          measured[variant][round].push(await workers[variant].batch());
    } finally {
      await Promise.all(Object.values(workers).map((worker) => worker.stop()));
    }
  }
  return measured;
}

async function startWorker(name, input) {
  const path = new URL(`workers/${name}.mjs`, import.meta.url).pathname;
  const child = fork(path, [JSON.stringify(input)], { execArgv: input.flags ?? [] });
  const ended = once(child, "exit");
  const message = async () => {
    const signal = AbortSignal.timeout(WORKER_TIMEOUT_MS);
    const [answer] = await Promise.race([
      once(child, "message", { signal }),
      ended.then(([code]) => {
        throw new Error(`the worker ${name} ended with ${code ?? "a signal"}`);
      }),
    ]);
    return answer;
  };
  await message();
  return {
    batch() {
      child.send("batch");
      return message();
    },
    async stop() {
      if (child.connected) child.disconnect();
      const force = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(force);
    },
  };
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The ratios of two variants, round by round, and their median: of each round the median over its pairs of batches. */
export function ratiosOf(numerators, denominators) {
  const ratios = numerators.map((of, round) =>
    median([of].flat().map((numerator, at) => numerator / [denominators[round]].flat()[at])),
  );
  return { ratios, ratio: median(ratios) };
}

/** The median of each round's batches. */
export function medians(rounds) {
  return rounds.map(median);
}
