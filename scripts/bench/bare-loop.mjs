/** The baseline for the command: concurrent calls of fetch. Prints their milliseconds. */
import { readFileSync } from "node:fs";

const [url, clientKey, file, concurrency] = process.argv.slice(2);
const tokens = readFileSync(file, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line).accessToken);
const method = url.endsWith("/logout") ? "POST" : "DELETE";
const begun = performance.now();
await Promise.all(Array.from({ length: Number(concurrency) }, worker));
process.stdout.write(String(performance.now() - begun));

async function worker() {
  for (let token = tokens.pop(); token; token = tokens.pop()) {
    const headers = { "x-client-key": clientKey, authorization: `Bearer ${token}` };
    const response = await fetch(url, { method, headers });
    const { success } = await response.json();
    if (response.status !== 200 || success !== true) throw new Error(`status ${response.status}`);
  }
}
