/** Counts what a vitest run came to, from its JSON report and its exit code. */

/** What is read of the report of vitest's `json` reporter. */
interface Report {
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

export interface Tally {
  passed: number;
  /** Everything that has not passed: what was skipped, too. */
  failed: number;
  /** How many of those were skipped, or are still to do. */
  skipped: number;
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
  return { passed, failed: isUntold ? 1 : failed, skipped };
}

function read(json: string | undefined): Report {
  try {
    return JSON.parse(json ?? "");
  } catch {
    return { testResults: [] };
  }
}
