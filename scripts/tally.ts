/** Counts the results of a vitest run, from its JSON report and exit code. */
import { basename } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** The fields used from vitest's `json` report. */
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
  /** All tests that did not pass, including skipped tests. */
  failed: number;
  /** The number of skipped and todo tests among them. */
  skipped: number;
  /** The failed tests: file, name, and the first line of the reason. */
  failures: string[];
}

/**
 * @param json - the report; undefined if it is missing
 * @param isSuccess - whether vitest exited with 0
 */
export function tally(json: string | undefined, isSuccess: boolean): Tally {
  const { testResults } = read(json);
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const countOf = (status: string) => tests.filter((test) => test.status === status).length;
  const passed = countOf("passed");
  const skipped = tests.length - passed - countOf("failed");
  // A file that cannot be loaded lacks tests, so the file itself counts.
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status !== "passed" && assertionResults.every((test) => test.status === "passed"),
  ).length;
  const failed = tests.length - passed + broken;
  // An error outside of the tests, low coverage, or an empty run: none of the tests reports it.
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
