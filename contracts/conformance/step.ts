/**
 * Defines a conformance step: a name, its evidence, and expectations whose failures name the actual and the expected
 * answer. The files beside this one define the steps.
 */
import type { Answer, Api } from "../api.ts";
import type { Evidence } from "../states.ts";
import type { Target } from "../target.ts";

export interface Step {
  /** The documented behaviour, as a sentence. */
  name: string;
  evidence: Evidence;
  /** Marks a step that the staff of a real provider would object to. It needs permission there. */
  isProbe?: true;
  run(): Promise<void>;
}

type Define = (name: string, run: Step["run"]) => Step;
export const documented: Define = (name, run) => ({ name, evidence: "documented", run });
export const observed: Define = (name, run) => ({ name, evidence: "observed", run });
export const assumed: Define = (name, run) => ({ name, evidence: "assumed", run });
export const probing = (step: Step): Step => ({ ...step, isProbe: true });

export interface Context {
  api: Api;
  target: Target;
  /** Waits a moment. */
  pause(): Promise<void>;
}

/** The answer differs from the step. */
class WrongAnswer extends Error {}

/** A precondition is missing because an earlier step failed. */
export class NotReached extends Error {}

/** A value that an earlier step provides to later ones. */
export interface Later<T> {
  set(value: T): void;
  /** @throws NotReached */
  get(): T;
}

export function later<T>(what: string): Later<T> {
  let kept: { value: T } | undefined;
  return {
    set(value) {
      kept = { value };
    },
    get() {
      if (!kept) throw new NotReached(`${what} was not reached`);
      return kept.value;
    },
  };
}

export function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new WrongAnswer(otherwise);
}

export function expectStatus({ status }: Answer, expected: number): void {
  expectThat(status === expected, `answered ${status} instead of ${expected}`);
}

/** Expects a refusal with a client error: not a success, a server error or a redirect. */
export function expectRefusal({ status }: Answer): void {
  expectThat(status >= 400 && status < 500, `answered ${status} instead of a refusal`);
}

/** Expects a JSON body with a JSON content type. */
export function expectJson({ contentType, isJson }: Answer): void {
  const isCalled = /^application\/json *(;|$)/i.test(contentType);
  expectThat(isCalled, `the content type is "${contentType}" instead of application/json`);
  expectThat(isJson, "the body is not JSON");
}

/** Expects exactly `{"success": true}`. */
export function expectSuccess(answer: Answer): void {
  expectStatus(answer, 200);
  expectJson(answer);
  const { success } = answer.fields;
  expectThat(success === true, `success is ${JSON.stringify(success)} instead of true`);
}

/** Expects the body of a refused token. */
export function expectMessage(answer: Answer): void {
  expectJson(answer);
  expectThat(typeof answer.fields["message"] === "string", "the body lacks a message");
}
