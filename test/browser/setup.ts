/** Builds the package once, for the tests in all engines. */
import type { TestProject } from "vitest/node";
import { buildPackage } from "../built.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The path of the package's module. */
    entry: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { entry, remove } = await buildPackage();
  project.provide("entry", entry);
  return remove;
}
