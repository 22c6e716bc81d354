/** The laws of records: how two copies join, that nothing moves back, and that the rules come to rest. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advance, type Ledger, LIFETIME, learn, newestOf, pendingOf, sessionOf } from "../src/ledger.ts";
import {
  asOver,
  asPending,
  isLive,
  isPending,
  join,
  keyOf,
  recordOf,
  type SessionRecord,
  serialize,
} from "../src/record.ts";

const ORIGIN = "https://dev.api.baanx.com";
const small = fc.nat(3);
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

const tokens = fc.record({
  accessToken: fc.constantFrom("example-a", "example-b"),
  refreshToken: maybe(fc.constantFrom("example-r", "example-s")),
  expiresAt: maybe(small),
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
      origin: fc.constant(ORIGIN),
      userId: maybe(fc.constantFrom("a", "b")),
      startedAt: small,
      generation: small,
      tokens: maybe(tokens),
      ending: maybe(ending),
    })
    .filter((record) => !!record.tokens || !!record.ending)
    // What never changes goes with the id.
    .map((record) => ({
      ...record,
      region: record.id === "1" ? ("us" as const) : ("international" as const),
      grant: record.id === "2" ? ("login" as const) : ("oauth" as const),
    }));
const record = recordWith(fc.constant("1"));
const records = fc.array(recordWith(fc.constantFrom("1", "2", "3", "4")), { maxLength: 8 });
const policy = fc.record({ keeps: fc.boolean(), renews: fc.boolean() });
const textsOf = (ledger: Ledger) => [...ledger.values()].map(serialize).sort();

describe("two copies of a record", () => {
  it("join whichever comes first", () => {
    fc.assert(
      fc.property(record, record, (a, b) => void expect(serialize(join(a, b))).toBe(serialize(join(b, a)))),
    );
  });

  it("join in any grouping", () => {
    fc.assert(
      fc.property(
        record,
        record,
        record,
        (a, b, c) => void expect(serialize(join(join(a, b), c))).toBe(serialize(join(a, join(b, c)))),
      ),
    );
  });

  it("join once and for all: what has nothing new changes nothing", () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const joined = join(a, b);
        expect(join(joined, b)).toBe(joined);
        expect(join(a, a)).toBe(a);
      }),
    );
  });

  it("never take an ending back, nor tokens that were dropped at that generation", () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const joined = join(a, b);
        if (a.ending) expect(joined.ending).toBeDefined();
        if (!a.tokens && joined.tokens) expect(joined.generation).toBeGreaterThan(a.generation);
        expect(joined.generation).toBeGreaterThanOrEqual(a.generation);
      }),
    );
  });

  it("make an ended session pending again where a later generation has tokens, and never live", () => {
    fc.assert(
      fc.property(record, (a) => {
        const renewed = {
          ...a,
          generation: a.generation + 1,
          tokens: { accessToken: "example-late" },
          ending: undefined,
        };
        expect(isPending(join(asOver(a, 1), renewed))).toBe(true);
      }),
    );
  });
});

describe("a stored text", () => {
  it("is one text for one content, and gives the same record back", () => {
    fc.assert(
      fc.property(record, (a) => {
        const shuffled = Object.fromEntries(Object.entries(a).reverse()) as unknown as SessionRecord;
        expect(serialize(shuffled)).toBe(serialize(a));
        const back = recordOf(keyOf(a), serialize(a), ORIGIN);
        expect(back && serialize(back)).toBe(serialize(a));
      }),
    );
  });

  it("is no record under another key, of another origin, or of another version", () => {
    fc.assert(
      fc.property(record, (a) => {
        expect(recordOf("session.other", serialize(a), ORIGIN)).toBeUndefined();
        expect(recordOf(keyOf(a), serialize(a), "https://api.baanx.com")).toBeUndefined();
        expect(recordOf(keyOf(a), serialize(a).replace('"v":1', '"v":2'), ORIGIN)).toBeUndefined();
      }),
    );
  });
});

describe("the rules", () => {
  const ledgerOf = (all: SessionRecord[]) => learn(new Map(), all);

  it("come to rest at once", () => {
    fc.assert(
      fc.property(records, policy, fc.constantFrom(2, LIFETIME + 1), (all, policy, now) => {
        const once = advance(ledgerOf(all), now, policy);
        const twice = advance(once.ledger, now, policy);
        expect(textsOf(twice.ledger)).toEqual(textsOf(once.ledger));
        expect(twice.givenUp).toEqual([]);
      }),
    );
  });

  it("leave one live record at most, the newest, and never make one live", () => {
    fc.assert(
      fc.property(records, policy, (all, policy) => {
        const before = ledgerOf(all);
        const { ledger } = advance(before, 2, policy);
        const live = [...ledger.values()].filter(isLive);
        expect(live.length).toBeLessThanOrEqual(1);
        if (live[0]) expect(newestOf(before)).toEqual(live[0]);
        for (const { id } of live) expect(isLive(before.get(id))).toBe(true);
      }),
    );
  });

  it("leave nothing pending that would end the session", () => {
    fc.assert(
      fc.property(records, policy, (all, policy) => {
        const { ledger } = advance(ledgerOf(all), 2, policy);
        const session = sessionOf(ledger);
        for (const { userId, ending, region, tokens } of pendingOf(ledger)) {
          if (session?.region !== region) continue;
          expect(tokens.accessToken).not.toBe(session.tokens.accessToken);
          if (session.grant !== "oauth" || ending.endpoint !== "revoke") continue;
          expect(!userId || !session.userId || userId === session.userId).toBe(false);
        }
      }),
    );
  });

  it("keep no tokens of an ending where nothing unconfirmed is kept, and no refresh token without a renewal", () => {
    fc.assert(
      fc.property(records, (all) => {
        const { ledger } = advance(ledgerOf(all), 2, { keeps: false, renews: true });
        expect(pendingOf(ledger)).toEqual([]);
        const kept = pendingOf(advance(ledgerOf(all), 2, { keeps: true, renews: false }).ledger);
        for (const { tokens } of kept) expect(tokens.refreshToken).toBeUndefined();
      }),
    );
  });

  const tombstones = (count: number) =>
    Array.from({ length: count }, (_, index): SessionRecord => {
      const live = {
        v: 1,
        id: `${index}`,
        origin: ORIGIN,
        region: "us",
        grant: "login",
        generation: 0,
      } as const;
      return asOver({ ...live, startedAt: index, tokens: { accessToken: "example" } }, 1_000);
    });

  it("keep eight tombstones, the newest among them, for six hours", () => {
    const policy = { keeps: true, renews: false };
    const { ledger } = advance(ledgerOf(tombstones(10)), 1_000, policy);
    expect([...ledger.keys()]).toEqual(["2", "3", "4", "5", "6", "7", "8", "9"]);
    expect(advance(ledger, 1_000 + LIFETIME - 1, policy).ledger.size).toBe(8);
    expect(advance(ledger, 1_000 + LIFETIME, policy).ledger.size).toBe(0);
  });

  it("let a tombstone keep what is older from becoming the session", () => {
    const [first, second] = tombstones(2);
    if (!first || !second) throw new Error("There are two.");
    const older: SessionRecord = { ...first, tokens: { accessToken: "example" }, ending: undefined };
    const { ledger } = advance(ledgerOf([older, second]), 1_000, { keeps: true, renews: false });
    expect(sessionOf(ledger)).toBeUndefined();
    expect(pendingOf(ledger).map(({ id }) => id)).toEqual(["0"]);
    expect(asPending(older, 1).ending?.endpoint).toBe("logout");
  });
});
