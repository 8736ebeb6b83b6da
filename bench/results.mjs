/** Writes RESULTS.md: one section for each benchmark, replaced by the script that measured it. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { median } from "./measure.mjs";

const FILE = new URL("RESULTS.md", import.meta.url);
const HEAD = `# Results

Written by \`npm run bench\`; see [README.md](README.md) for what is compared and how. Only the ratios mean anything: the
absolute numbers are of one machine on one day, and are here so that a ratio can be checked.
`;

/** Replaces one section of RESULTS.md, and keeps the others. */
export function writeSection(name, order, title, lines) {
  const sections = new Map();
  const known = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  for (const [, of, text] of known.matchAll(/<!-- (\w+) -->\n(.*?)\n<!-- end -->/gs))
    sections.set(of, text);
  sections.set(name, [`## ${title}`, "", machine(), "", ...lines].join("\n"));
  const text = order
    .filter((of) => sections.has(of))
    .map((of) => `<!-- ${of} -->\n${sections.get(of)}\n<!-- end -->\n`);
  writeFileSync(FILE, [HEAD, ...text].join("\n"));
}

function machine() {
  const cpus = os.cpus();
  const memoryGb = Math.round(os.totalmem() / 2 ** 30);
  return (
    `Measured ${new Date().toISOString().slice(0, 16)}Z on ${cpus[0]?.model.trim()}, ${cpus.length} cores, ` +
    `${memoryGb} GB, ${os.type()} ${os.arch()}; Node ${process.version}, OpenSSL ${process.versions.openssl}; ` +
    `Latchkey ${version("../server")} (${commit()}), better-sqlite3 ${version("../node_modules/better-sqlite3")}, ` +
    `autocannon ${version("../node_modules/autocannon")}.`
  );
}

function version(folder) {
  return JSON.parse(readFileSync(new URL(`${folder}/package.json`, import.meta.url), "utf8"))
    .version;
}

function commit() {
  try {
    const git = ["describe", "--always", "--dirty=, changed", "--exclude=*"];
    const folder = new URL(".", import.meta.url);
    return execFileSync("git", git, { cwd: folder, encoding: "utf8" }).trim();
  } catch {
    return "no commit";
  }
}

/** A Markdown table, its columns aligned as the formatter wants them. */
export function table(columns, rows) {
  const widths = columns.map((_, at) =>
    Math.max(...[columns, ...rows].map((row) => row[at].length)),
  );
  const line = (cells) => `| ${cells.map((cell, at) => cell.padEnd(widths[at])).join(" | ")} |`;
  return [line(columns), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

/** Measurements as a row: name, median, every round. */
export function rounds(name, numbers, digits = 0) {
  return [name, `**${median(numbers).toFixed(digits)}**`, each(numbers, digits)];
}

export function each(numbers, digits) {
  return numbers.map((number) => number.toFixed(digits)).join(" ");
}

/** A target, and whether it was met: `met` is decided on the number as measured, not as rounded. */
export function target(what, measured, bound, met) {
  return `**${met ? "Met" : "Missed"}**: ${what}: ${measured} (target ${bound}).`;
}
