/** Runs the benchmarks named on the command line, or all, and writes RESULTS.md. */
import { writeSection } from "./results.mjs";

const BENCHES = [
  "verify",
  "stored",
  "memory",
  "authenticate",
  "counting",
  "usage",
  "list",
  "audit",
  "revocation",
  "sdk",
  "scale",
];

const asked = process.argv.slice(2);
const wrong = asked.filter((name) => !BENCHES.includes(name));
if (wrong.length > 0) {
  console.error(`no such benchmark: ${wrong.join(", ")}; there are ${BENCHES.join(", ")}`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : BENCHES) {
  console.error(name);
  const { title, run } = await import(`./${name}.mjs`);
  const lines = await run();
  writeSection(name, BENCHES, title, lines);
  console.log(`\n${title}\n${lines.join("\n")}\n`);
}
