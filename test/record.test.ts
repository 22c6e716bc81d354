/** The laws of records: how two copies merge, that a record never moves back, and that the rules terminate. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLedger, type Ledger, LIFETIME_MS, pendingOf } from "../src/ledger.ts";
import {
  asOver,
  asPending,
  isLive,
  isPending,
  join,
  keyOf,
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

describe("a stored string", () => {
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

  it("drop a record completely", () => {
    always(records, fc.constantFrom("1", "2", "3", "4"), (all, id) => {
      const { ledger } = ledgerOf(all);
      const rest = [...ledger.records.values()].filter((one) => one.id !== id);
      ledger.apply([], [id], 2);
      expect(stringsOf(ledger)).toEqual(stringsOf(ledgerOf(rest).ledger));
    });
  });
});
