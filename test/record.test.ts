/** The laws of records: how two copies merge, that a record never moves back, and that the rules terminate. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLedger, type Ledger, LIFETIME_MS, pendingOf } from "../src/ledger.ts";
import {
  asOver,
  asPending,
  endedKey,
  isLive,
  isPending,
  join,
  keyOf,
  liveKey,
  parse,
  type SessionRecord,
  serialize,
} from "../src/record.ts";
import { BASE_URL, only, recordOf } from "./support.ts";

const small = fc.nat(3);
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

const tokens = fc.record({
  accessToken: fc.constantFrom("example-a", "example-b"),
  refreshToken: maybe(fc.constantFrom("example-r", "example-s")),
  renewAt: maybe(small),
});
const ending = fc.record({
  endpoint: fc.constantFrom("logout" as const, "revoke" as const),
  since: small,
  attempt: small,
  until: small,
});
const recordWith = (id: fc.Arbitrary<string>): fc.Arbitrary<SessionRecord> =>
  fc
    .record({
      v: fc.constant(1 as const),
      id,
      origin: fc.constant(BASE_URL),
      userId: maybe(fc.constantFrom("a", "b")),
      startedAt: small,
      generation: small,
      hasRefreshToken: fc.boolean(),
      tokens: maybe(tokens),
      ending: maybe(ending),
      outcome: maybe(
        fc.constantFrom("confirmed", "already-invalid", "superseded", "expired", "unconfirmed" as const),
      ),
    })
    .filter((record) => !!record.tokens || !!record.ending)
    // Constant fields depend on the id.
    .map((record) => ({
      ...record,
      hasRefreshToken: record.hasRefreshToken || record.tokens?.refreshToken !== undefined,
      outcome: record.tokens ? undefined : record.outcome,
      region: record.id === "1" ? ("us" as const) : ("international" as const),
      grant: record.id === "2" ? ("login" as const) : ("oauth" as const),
    }));
const record = recordWith(fc.constant("1"));
const records = fc.array(recordWith(fc.constantFrom("1", "2", "3", "4")), { maxLength: 8 });

/** Checks an assertion for any values. */
function always<T extends [unknown, ...unknown[]]>(
  ...args: [...{ [K in keyof T]: fc.Arbitrary<T[K]> }, (...values: T) => void]
) {
  fc.assert(fc.property<T>(...args));
}

const stringsOf = (ledger: Ledger) => [...ledger.records.values()].map(serialize).sort();

describe("two copies of a record", () => {
  it("merge in any order", () => {
    always(record, record, (a, b) => {
      expect(serialize(join(a, b))).toBe(serialize(join(b, a)));
    });
  });

  it("merge in any grouping", () => {
    always(record, record, record, (a, b, c) => {
      expect(serialize(join(join(a, b), c))).toBe(serialize(join(a, join(b, c))));
    });
  });

  it("merge idempotently: a copy without news changes nothing", () => {
    always(record, record, (a, b) => {
      const joined = join(a, b);
      expect(join(joined, b)).toBe(joined);
      expect(join(a, a)).toBe(a);
    });
  });

  it("never undo an ending, or restore tokens that this generation dropped", () => {
    always(record, record, (a, b) => {
      const joined = join(a, b);
      if (a.ending) expect(joined.ending).toBeDefined();
      if (!a.tokens && joined.tokens) expect(joined.generation).toBeGreaterThan(a.generation);
      expect(joined.generation).toBeGreaterThanOrEqual(a.generation);
    });
  });

  it("make an ended session pending again, but never live, if a later generation has tokens", () => {
    always(record, (a) => {
      const renewed = {
        ...a,
        generation: a.generation + 1,
        tokens: { accessToken: "example-late" },
        ending: undefined,
      };
      expect(isPending(join(asOver(a, 1, "confirmed"), renewed))).toBe(true);
    });
  });
});

const base: SessionRecord = recordOf({
  ...{ id: "1", region: "us", grant: "oauth", startedAt: 1, generation: 1 },
  tokens: { accessToken: "example-a" },
});
const over: SessionRecord = {
  ...base,
  tokens: undefined,
  ending: { endpoint: "logout", since: 5, attempt: 2, until: 9 },
};

describe("of two copies the join keeps", () => {
  const tokensOf = (accessToken: string, refreshToken?: string, renewAt?: number) => ({
    tokens: { accessToken, refreshToken, renewAt },
  });
  const endingOf = (patch: object) => ({
    ending: { endpoint: "logout", since: 5, attempt: 2, until: 9, ...patch },
  });
  it.each<[string, SessionRecord, object, object, object?]>([
    ["the known user", base, {}, { userId: "a" }],
    ["the greater user id", base, { userId: "a" }, { userId: "b" }],
    ["the later start", base, { startedAt: 1 }, { startedAt: 2 }],
    ["the higher generation", base, { generation: 1 }, { generation: 2 }],
    ["the knowledge of a refresh token", base, { hasRefreshToken: false }, { hasRefreshToken: true }],
    [
      "the tokens of the higher generation",
      base,
      tokensOf("example-b"),
      { generation: 2, ...tokensOf("example-a") },
    ],
    [
      "the greater access token",
      base,
      tokensOf("example-a", "example-z"),
      tokensOf("example-b", "example-a"),
    ],
    ["a refresh token", base, tokensOf("example-a"), tokensOf("example-a", "example-a")],
    [
      "the greater refresh token",
      base,
      tokensOf("example-a", "example-a", 9),
      tokensOf("example-a", "example-b", 1),
    ],
    ["the time of a renewal", base, tokensOf("example-a"), tokensOf("example-a", undefined, 0)],
    ["the later renewal", base, tokensOf("example-a", "example-a", 1), tokensOf("example-a", "example-a", 2)],
    ["the dropped tokens", { ...over, tokens: base.tokens }, {}, { tokens: undefined }],
    ["the earlier request", over, { ending: { ...over.ending, since: 6, endpoint: "revoke" } }, endingOf({})],
    ["the revoke, of requests at one time", over, endingOf({}), endingOf({ endpoint: "revoke" })],
    ["the last attempt", over, endingOf({ until: 1 }), endingOf({ attempt: 3 })],
    ["the earlier end of one attempt", over, endingOf({ until: 9 }), endingOf({ until: 8 })],
    [
      "the earlier request with the last attempt",
      over,
      endingOf({ since: 4, until: 9 }),
      endingOf({ attempt: 3, until: 1, endpoint: "revoke" }),
      endingOf({ since: 4, attempt: 3, until: 1 }),
    ],
    [
      "the outcome of the higher generation",
      over,
      { outcome: "confirmed" },
      { generation: 2, outcome: "expired" },
    ],
    ["an outcome", over, {}, { outcome: "unconfirmed" }],
    ["expired, of unconfirmed", over, { outcome: "unconfirmed" }, { outcome: "expired" }],
    ["superseded, of expired", over, { outcome: "expired" }, { outcome: "superseded" }],
    ["already-invalid, of superseded", over, { outcome: "superseded" }, { outcome: "already-invalid" }],
    ["confirmed, of already-invalid", over, { outcome: "already-invalid" }, { outcome: "confirmed" }],
    [
      "no outcome of dropped tokens, beside later ones",
      over,
      { outcome: "confirmed" },
      { generation: 2, tokens: { accessToken: "example-b" } },
    ],
  ])("%s", (_, common, less, more, joined = more) => {
    const [a, b] = [
      { ...common, ...less },
      { ...common, ...more },
    ];
    const expected = serialize({ ...common, ...joined });
    expect(serialize(join(a, b))).toBe(expected);
    expect(serialize(join(b, a))).toBe(expected);
  });
});

describe("a stored string", () => {
  const pending = { ...base, ending: over.ending };
  const wrong: Record<string, unknown[]> = {
    name: ["", undefined, null, 1, true, ["x"], { toString: 1 }],
    count: [undefined, null, "1", -1, 0.5, 2 ** 53, [1]],
    choice: [undefined, null, "other", 0, ["us"]],
    credential: [undefined, null, 123, "", "with space", "example\n", "\u00e4", ["example"]],
  };
  const kinds: [string, string[]][] = [
    ["name", ["id", "origin"]],
    ["count", ["startedAt", "generation", "ending.since", "ending.attempt", "ending.until"]],
    ["choice", ["v", "region", "grant", "ending.endpoint"]],
    ["credential", ["tokens.accessToken"]],
    // These may be absent.
    ["name", ["userId?"]],
    ["count", ["tokens.renewAt?"]],
    ["choice", ["outcome?", "hasRefreshToken?"]],
    ["credential", ["tokens.refreshToken?"]],
  ];
  const rows = kinds.flatMap(([kind, fields]) =>
    fields.flatMap((field) => (wrong[kind] ?? []).map((value) => [field, value] as const)),
  );

  it.each(rows)("rejects a record whose %s is %j, unless that may be absent", (field, value) => {
    const copy = JSON.parse(serialize(pending));
    const [name = "", inner] = field.replace("?", "").split(".");
    if (inner) copy[name][inner] = value;
    else copy[name] = value;
    const back = parse(endedKey("1"), JSON.stringify(copy), 1);
    expect(back !== undefined).toBe(field.endsWith("?") && value === undefined);
  });

  it.each(["tokens", "ending"])("rejects a record whose %s are not an object", (name) => {
    for (const value of [null, 1, "x", true, []])
      expect(parse(endedKey("1"), JSON.stringify({ ...pending, [name]: value }), 1)).toBeUndefined();
  });

  it("rejects a record without tokens and ending, or from more than ten years later", () => {
    expect(parse(liveKey("1"), serialize({ ...base, tokens: undefined }), 1)).toBeUndefined();
    const later = { ...base, startedAt: 315_576_000_001 };
    expect(parse(liveKey("1"), serialize(later), 0)).toBeUndefined();
    expect(parse(liveKey("1"), serialize(later), 1)?.startedAt).toBe(later.startedAt);
  });

  it("drops fields that a record does not have, and derives the knowledge of a refresh token", () => {
    const tokens = { accessToken: "example-a", refreshToken: "example-r" };
    const string = JSON.stringify({
      ...base,
      hasRefreshToken: undefined,
      tokens,
      outcome: "confirmed",
      other: 1,
    });
    expect(parse(liveKey("1"), string, 1)).toEqual({ ...base, hasRefreshToken: true, tokens });
    expect(parse(liveKey("1"), serialize(base), 1)?.hasRefreshToken).toBe(false);
  });

  it("serializes equal records to one string, and parses it to the same record", () => {
    always(record, (a) => {
      const shuffled = Object.fromEntries(Object.entries(a).reverse()) as unknown as SessionRecord;
      expect(serialize(shuffled)).toBe(serialize(a));
      const back = parse(keyOf(a), serialize(a), 1);
      expect(back && serialize(back)).toBe(serialize(a));
    });
  });

  it("rejects a record under another key or of another version", () => {
    always(record, (a) => {
      expect(parse("session.other", serialize(a), 1)).toBeUndefined();
      expect(parse(keyOf(a), serialize(a).replace('"v":1', '"v":2'), 1)).toBeUndefined();
    });
  });

  it("parses without exceptions, and to a record only if it serializes again", () => {
    always(record, fc.constantFrom(...Object.keys(samples)), fc.anything(), (a, name, value) => {
      const parts = name.split(".");
      const copy = JSON.parse(serialize(a));
      const holder = parts.length > 1 ? (copy[parts[0] ?? ""] ?? copy) : copy;
      holder[parts.at(-1) ?? ""] = value;
      const string = JSON.stringify(copy, (_, part) => (typeof part === "bigint" ? `${part}` : part));
      const back = parse(keyOf(a), string, 1);
      if (back) expect(parse(keyOf(back), serialize(back), 1)).toEqual(back);
    });
  });
});

/** The names of the fields of a record, at every depth. */
const samples = Object.fromEntries(
  ["v", "id", "origin", "region", "grant", "userId", "startedAt", "generation", "tokens", "ending", "outcome"]
    .concat(["tokens.accessToken", "tokens.refreshToken", "tokens.renewAt"])
    .concat(["ending.endpoint", "ending.since", "ending.attempt", "ending.until"])
    .map((name) => [name, true]),
);

describe("the rules", () => {
  /** Applies copies to a new ledger, in one change or one by one. */
  function ledgerOf(all: SessionRecord[], now = 2) {
    const ledger = createLedger();
    const changes = ledger.apply(all, [], now);
    return { ledger, changes };
  }

  it("change nothing when applied again", () => {
    always(records, fc.constantFrom(2, LIFETIME_MS + 1), (all, now) => {
      const { ledger } = ledgerOf(all, now);
      const before = stringsOf(ledger);
      ledger.apply([...ledger.records.values()], [], now);
      expect(stringsOf(ledger)).toEqual(before);
    });
  });

  it("run over the changed records only, with the result of all of them", () => {
    always(records, records, (first, second) => {
      const { ledger } = ledgerOf(first);
      const { size } = ledger.apply(second, [], 2);
      const fresh = ledgerOf([...ledger.records.values()]).ledger;
      expect(stringsOf(fresh)).toEqual(stringsOf(ledger));
      if (second.length === 0) expect(size).toBe(0);
    });
  });

  it("leave one live record at most, the newest, and never make one live", () => {
    always(records, (all) => {
      const { ledger, changes } = ledgerOf(all);
      const live = [...ledger.records.values()].filter(isLive);
      expect(live.length).toBeLessThanOrEqual(1);
      expect(ledger.session).toBe(live[0]);
      if (live[0]) expect(ledger.newest).toBe(live[0]);
      for (const { id } of live) expect(all.some((one) => one.id === id && isLive(one))).toBe(true);
      expect([...changes.values()].every((before) => before === undefined)).toBe(true);
    });
  });

  it("leave no pending record that would end the session", () => {
    always(records, (all) => {
      const { ledger } = ledgerOf(all);
      const { session } = ledger;
      for (const { userId, ending, region, tokens } of pendingOf(ledger)) {
        if (session?.region !== region) continue;
        expect(tokens.accessToken).not.toBe(session.tokens.accessToken);
        if (session.grant !== "oauth" || ending.endpoint !== "revoke") continue;
        expect(!userId || !session.userId || userId === session.userId).toBe(false);
      }
    });
  });

  const tombstones = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      asOver(recordOf({ id: `${index}`, startedAt: index }), 1_000, "confirmed"),
    );

  it("keep eight tombstones, the newest among them, for six hours", () => {
    const { ledger } = ledgerOf(tombstones(10), 1_000);
    expect([...ledger.records.keys()]).toEqual(["2", "3", "4", "5", "6", "7", "8", "9"]);
    // A changed tombstone triggers the rule.
    const second = only([...ledger.records.values()].slice(1, 2));
    ledger.apply([{ ...second, userId: "a" }], [], 1_000 + LIFETIME_MS - 1);
    expect(ledger.records.size).toBe(8);
    ledger.apply([{ ...second, userId: "b" }], [], 1_000 + LIFETIME_MS);
    expect(ledger.records.size).toBe(0);
  });

  it("stop older records from becoming the session, by a tombstone", () => {
    const older = recordOf({ id: "0", startedAt: 0 });
    const { ledger } = ledgerOf([older, ...tombstones(2).slice(1)], 1_000);
    expect(ledger.session).toBeUndefined();
    expect(pendingOf(ledger).map(({ id }) => id)).toEqual(["0"]);
    expect(asPending(older, 1).ending.endpoint).toBe("logout");
  });

  it("order pending records by their endings, of one moment the later session last", () => {
    const since = (id: string, moment: number, startedAt: number) => ({
      ...base,
      id,
      startedAt,
      ending: { endpoint: "logout", since: moment, attempt: 0, until: 0 } as const,
    });
    const all = [since("c", 7, 2), since("a", 9, 1), since("d", 7, 3), since("b", 7, 1), since("e", 7, 3)];
    for (const some of [all, [...all].reverse()])
      expect(pendingOf(ledgerOf(some).ledger).map(({ id }) => id)).toEqual(["b", "c", "d", "e", "a"]);
  });

  it("take the greater id for the newer session, of one moment", () => {
    const of = (id: string) => ({ ...base, id });
    for (const ids of ["ab", "ba"]) expect(ledgerOf([...ids].map(of)).ledger.session?.id).toBe("b");
  });

  it("drop a record completely", () => {
    always(records, fc.constantFrom("1", "2", "3", "4"), (all, id) => {
      const { ledger } = ledgerOf(all);
      const rest = [...ledger.records.values()].filter((one) => one.id !== id);
      ledger.apply([], [id], 2);
      const fresh = ledgerOf(rest).ledger;
      expect(stringsOf(ledger)).toEqual(stringsOf(fresh));
      expect(ledger.newest).toEqual(fresh.newest);
      expect(ledger.session).toEqual(fresh.session);
    });
  });
});
