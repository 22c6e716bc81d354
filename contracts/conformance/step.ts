/**
 * What a conformance step is made of: a name, its evidence, and expectations that say what was answered in
 * place of what. Which steps there are is told by the files beside this one.
 */
import type { Answer, Api } from "../api.ts";
import type { Evidence } from "../states.ts";
import type { Target } from "../target.ts";

export interface Step {
  /** What the documentation says, as a sentence. */
  name: string;
  evidence: Evidence;
  /** Staff of a real provider would object to it, so that it needs leave there. */
  isProbe?: true;
  run(): Promise<void>;
}

export interface Context {
  api: Api;
  target: Target;
  /** Lets a moment pass. */
  pause(): Promise<void>;
}

/** The answer is another one than the step says. */
class WrongAnswer extends Error {}

/** What the step goes by was not reached, since an earlier step failed. */
export class NotReached extends Error {}

/** A value that an earlier step leaves to later ones. */
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
  expectThat(status === expected, `answered ${status} in place of ${expected}`);
}

/** Refused by the caller's fault: neither done, nor broken, nor sent elsewhere. */
export function expectRefusal({ status }: Answer): void {
  expectThat(status >= 400 && status < 500, `answered ${status} in place of a refusal`);
}

/** A JSON body, in fact and by its content type. */
export function expectJson({ contentType, text }: Answer): void {
  const isCalled = /^application\/json *(;|$)/i.test(contentType);
  expectThat(isCalled, `the content type is "${contentType}" in place of application/json`);
  expectThat(isJson(text), "the body is no JSON");
}

/** `{"success": true}` and nothing that merely looks like it. */
export function expectSuccess(answer: Answer): void {
  expectStatus(answer, 200);
  expectJson(answer);
  const { success } = answer.fields;
  expectThat(success === true, `success is ${JSON.stringify(success)} in place of true`);
}

/** The body that every refusal of a token has. */
export function expectMessage(answer: Answer): void {
  expectJson(answer);
  expectThat(typeof answer.fields["message"] === "string", "the body has no message");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
