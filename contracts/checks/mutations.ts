/**
 * Every way to change the recorded contract by one status, matcher, header, value, state or evidence, to
 * show that each is noticed by something that judges the contract and does not merely compare bytes.
 */
import { evidenceOf, type Message, type PactFile, type PactInteraction } from "../pact-file.ts";
import { kindsOfEvidence, states } from "../states.ts";

export interface Mutation {
  /** What is changed, alike in each interaction that has it. */
  change: string;
  /** The changed contract, and the one interaction of it that is another. */
  pact: PactFile;
  interaction: PactInteraction;
}

type Change = readonly [name: string, change: (interaction: PactInteraction) => void];

const statuses = [200, 201, 204, 302, 400, 401, 403, 404, 429, 498, 499, 500];

export function mutationsOf(pact: PactFile): Mutation[] {
  return pact.interactions.flatMap((original) =>
    changesOf(original).map(([name, change]) => {
      const interaction = structuredClone(original);
      change(interaction);
      const interactions = pact.interactions.map((other) => (other === original ? interaction : other));
      return { change: name, pact: { ...pact, interactions }, interaction };
    }),
  );
}

function changesOf(interaction: PactInteraction): Change[] {
  const { request, response, providerStates } = interaction;
  return [
    ...statuses
      .filter((status) => status !== response.status)
      .map((status): Change => [`status ${status}`, (it) => void Object.assign(it.response, { status })]),
    ["any status", (it) => setRule(it.response, "status", "$", { match: "statusCode", status: "success" })],
    ...stateChanges(providerStates[0]?.name ?? ""),
    ...messageChanges("request", request),
    ...messageChanges("response", response),
    ...bodyChanges(response),
    ["method", (it) => void Object.assign(it.request, { method: "PUT" })],
    ["path", (it) => void Object.assign(it.request, { path: "/v1/auth" })],
    ["description", (it) => void Object.assign(it, { description: "something else" })],
    ["pending turned", (it) => void Object.assign(it, { pending: !it.pending })],
    ["no source", (it) => delete it.comments.references.evidence["source"]],
    ...kindsOfEvidence
      .filter((kind) => kind !== evidenceOf(interaction))
      .map((kind): Change => [kind, (it) => setEvidence(it, kind)]),
  ];
}

export function setEvidence({ comments }: PactInteraction, kind: string): void {
  comments.references.evidence["kind"] = kind;
}

function stateChanges(own: string): Change[] {
  const others = [...Object.keys(states).filter((name) => name !== own), "a state of nobody's"];
  const set = (change: (state: PactInteraction["providerStates"][number]) => void) => (it: PactInteraction) =>
    it.providerStates.forEach(change);
  return [
    ...others.map((name): Change => [`given ${name}`, set((state) => void Object.assign(state, { name }))]),
    ["given nothing", (it) => void it.providerStates.splice(0)],
    ["given one state more", (it) => void it.providerStates.push({ name: "a state of nobody's" })],
    [
      "given another region",
      set(
        ({ params }) =>
          void Object.assign(params ?? {}, { region: params?.["region"] === "us" ? "international" : "us" }),
      ),
    ],
    ["given no parameters", set((state) => delete state.params)],
    ["given one parameter more", set((state) => void Object.assign(state.params ?? {}, { otp: true }))],
  ];
}

/** Each header, with its matcher and its generator: removed, replaced, loosened. */
function messageChanges(side: "request" | "response", message: Message): Change[] {
  const at = (change: (message: Message) => void) => (it: PactInteraction) => change(it[side]);
  const named = (name: string, what: string) => `${side} header ${name} ${what}`;
  const changes = Object.keys(message.headers ?? {}).flatMap((name): Change[] => {
    const loosened = (matcher: Record<string, unknown>, how: string): Change => [
      named(name, how),
      at((it) => setRule(it, "header", name, matcher)),
    ];
    const generated = (expression: string): Change => [
      named(name, `from ${expression}`),
      at((it) => void Object.assign(it.generators ?? {}, generatorOf(it, name, expression))),
    ];
    return [
      [named(name, "removed"), at((it) => without(it, name))],
      [
        named(name, "of another value"),
        at((it) => void Object.assign(it.headers ?? {}, { [name]: ["text/plain"] })),
      ],
      [named(name, "of two values"), at((it) => void it.headers?.[name]?.push("more"))],
      loosened({ match: "type" }, "of any text"),
      // A content type is any, which no code reads: exact, it would be another contract.
      side === "request"
        ? loosened({ match: "regex", regex: ".*" }, "like anything")
        : loosened({ match: "regex", regex: "application/json" }, "that is JSON"),
      loosened({ match: "regex", regex: message.headers?.[name]?.[0] ?? "" }, "that contains the example"),
      ...(message.matchingRules?.["header"]?.[name]
        ? ([
            [named(name, "without a matcher"), at((it) => delete it.matchingRules?.["header"]?.[name])],
          ] as const)
        : []),
      ...(message.generators?.["header"]?.[name]
        ? ([
            [named(name, "that is not from the state"), at((it) => delete it.generators?.["header"]?.[name])],
            generated(`another-\${accessToken}`),
            generated(`\${refreshToken}`),
          ] as const)
        : []),
    ];
  });
  const more: Change = [
    `${side} header x-tenant added`,
    at((it) => void Object.assign(it, { headers: { ...it.headers, "x-tenant": ["example"] } })),
  ];
  return [...changes, more];
}

function bodyChanges({ body }: Message): Change[] {
  const keys = Object.keys({ ...(typeof body?.content === "object" ? body.content : {}) });
  const put = (content: unknown) => (it: PactInteraction) =>
    void Object.assign(it.response, { body: { content, contentType: "application/json", encoded: false } });
  if (!body) return [["response body added", put({ message: "Not authenticated" })]];
  return [
    ["response body removed", (it) => delete it.response.body],
    ["response body of no fields", put({})],
    ...keys.flatMap((key): Change[] => [
      [`${key} is a text`, put({ [key]: "true" })],
      [`${key} is false`, put({ [key]: false })],
      [`${key} is one of two`, put({ [key]: true, more: true })],
      [`${key} matches by type`, (it) => looseOrExact(it.response, `$.${key}`)],
      [
        `${key} is like anything`,
        (it) => setRule(it.response, "body", `$.${key}`, { match: "regex", regex: ".*" }),
      ],
    ]),
  ];
}

/** A matcher where there is none, and none where there is one. */
function looseOrExact(message: Message, path: string): void {
  const rules = message.matchingRules?.["body"];
  if (rules?.[path]) delete rules[path];
  else setRule(message, "body", path, { match: "type" });
}

function setRule(message: Message, part: string, path: string, matcher: Record<string, unknown>): void {
  message.matchingRules ??= {};
  message.matchingRules[part] = {
    ...message.matchingRules[part],
    [path]: { combine: "AND", matchers: [matcher] },
  };
}

function without(message: Message, name: string): void {
  delete message.headers?.[name];
  delete message.matchingRules?.["header"]?.[name];
  delete message.generators?.["header"]?.[name];
}

function generatorOf(message: Message, name: string, expression: string) {
  return { header: { ...message.generators?.["header"], [name]: { type: "ProviderState", expression } } };
}
