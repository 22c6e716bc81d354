/**
 * The checks of `npm test`, in their order, and the suites that need more than Node and npm. A check is a script of
 * package.json; what it checks is its own business.
 */

export interface Step {
  /** A script of package.json. It counts as one check. */
  script: string;
  args?: readonly string[];
  /** Its last command is `vitest run`, and each test of it counts. */
  isVitest?: true;
}

export const checks: readonly Step[] = [
  { script: "lint" },
  { script: "lint:spec" },
  { script: "lint:workflows" },
  { script: "lint:words" },
  { script: "lint:links" },
  { script: "codegen", args: ["--check"] },
  { script: "docs", args: ["--check"] },
  { script: "types" },
  { script: "test:unit", args: ["--coverage"], isVitest: true },
  { script: "test:contracts", isVitest: true },
  { script: "test:commands", isVitest: true },
  { script: "test:examples" },
  { script: "lint:unused" },
  { script: "lint:package" },
  { script: "size" },
];

/** What needs Redis, Ruby, a browser or other runtimes: `npm test -- --all`. */
export const suites: readonly Step[] = [
  { script: "test:redis", isVitest: true },
  { script: "test:broker", isVitest: true },
  { script: "test:runtimes", isVitest: true },
  { script: "test:browser", isVitest: true },
];
