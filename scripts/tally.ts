/** Counts what a vitest run came to, from its JSON report and its exit code. */
import { basename } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** What is read of the report of vitest's `json` reporter. */
interface Report {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { status: string; fullName: string; failureMessages?: string[] | null }[];
  }[];
}

export interface Tally {
  passed: number;
  /** Everything that has not passed: what was skipped, too. */
  failed: number;
  /** How many of those were skipped, or are still to do. */
  skipped: number;
  /** What has failed: its file, its name, and the first line of why. */
  failures: string[];
}

/**
 * @param json - the report, undefined when there is none
 * @param isSuccess - whether vitest exited with 0
 */
export function tally(json: string | undefined, isSuccess: boolean): Tally {
  const { testResults } = read(json);
  const statuses = testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ status }) => status),
  );
  const passed = statuses.filter((status) => status === "passed").length;
  const skipped = statuses.filter((status) => status !== "passed" && status !== "failed").length;
  // A file that cannot be loaded has no tests to fail, so it counts itself.
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status !== "passed" && assertionResults.every((test) => test.status === "passed"),
  ).length;
  const failed = statuses.length - passed + broken;
  // An error outside of the tests, a coverage that is too low, or nothing run at all: no test says so.
  const isUntold = failed === 0 && (!isSuccess || passed === 0);
  if (isUntold) return { passed, failed: 1, skipped, failures: [OUTSIDE] };
  return { passed, failed, skipped, failures: testResults.flatMap(failuresOf) };
}

function failuresOf({ name, status, message, assertionResults }: Report["testResults"][number]): string[] {
  const file = basename(name);
  const failed = assertionResults.filter((test) => test.status === "failed");
  if (failed.length === 0 && status !== "passed") return [`${file}: ${firstLine(message) || OUTSIDE}`];
  return failed.map(
    ({ fullName, failureMessages }) => `${file}: ${fullName}: ${firstLine(failureMessages?.[0])}`,
  );
}

const OUTSIDE = "failed outside of its tests";

const firstLine = (text = "") => stripVTControlCharacters(text).trim().split("\n")[0] ?? "";

function read(json: string | undefined): Report {
  try {
    return JSON.parse(json ?? "");
  } catch {
    return { testResults: [] };
  }
}
