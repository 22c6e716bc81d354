/** What of the lists shows in no process from outside: how far it reads ahead, how it waits, what it remembers. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { guess } from "../src/cli/guess.ts";
import { createDigestMap } from "../src/cli/list/digests.ts";
import { createWatch } from "../src/cli/list/hopeless.ts";
import { keysOf } from "../src/cli/list/journal.ts";
import { linesOf } from "../src/cli/list/lines.ts";
import { createPacer } from "../src/cli/list/pacer.ts";
import { createRefusals } from "../src/cli/list/refusals.ts";
import { SessionError } from "../src/errors.ts";

describe("the lines of a stream", () => {
  const texts = async (chunks: (string | Uint8Array)[]) => {
    const found: (string | undefined)[] = [];
    for await (const { text } of linesOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))))
      found.push(text);
    return found;
  };

  it("are the same wherever the stream is cut, within a character too", async () => {
    const bytes = Buffer.from("\ufeffone\n\nzwei – €\nlast");
    for (let cut = 0; cut <= bytes.length; cut++)
      expect(await texts([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([
        "one",
        "",
        "zwei – €",
        "last",
      ]);
  });

  it("that are too long are counted and not kept", async () => {
    expect(await texts([`a\n${"x".repeat(40_000)}`, `${"x".repeat(40_000)}\nb\n`])).toEqual([
      "a",
      undefined,
      "b",
    ]);
  });

  it("are read no faster than they are asked for", async () => {
    let made = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          made += 1;
          yield Buffer.from("line\n".repeat(100));
        }
      })(),
      { highWaterMark: 1 },
    );
    const lines = linesOf(endless);
    for (let count = 0; count < 250; count++) await lines.next();
    // Three chunks for 250 lines, and what the stream has at hand.
    expect(made).toBeLessThan(8);
    endless.destroy();
  });
});

describe("the pacer", () => {
  const limited = (retryAfter?: number) =>
    new SessionError("rate-limited", "status 429", { ...(retryAfter !== undefined && { retryAfter }) });
  const giveUp = vi.fn();
  let pacer: ReturnType<typeof createPacer>;

  beforeEach(() => {
    vi.useFakeTimers();
    giveUp.mockReset();
    pacer = createPacer(giveUp);
  });
  afterEach(() => vi.useRealTimers());

  /** How long the next request waits. */
  async function wait(): Promise<number> {
    const begun = Date.now();
    const turn = pacer.turn();
    await vi.runAllTimersAsync();
    await turn;
    return Date.now() - begun;
  }

  it("pauses as long as Retry-After says, and by the longest of a burst", async () => {
    expect(await wait()).toBe(0);
    const turn = await pacer.turn();
    pacer.heard(turn, limited(2_000));
    pacer.heard(turn, limited(5_000));
    pacer.heard(turn, limited(1_000));
    expect(await wait()).toBe(5_000);
  });

  it("waits twice as long each time without Retry-After, and a burst counts once", async () => {
    const waits: number[] = [];
    for (let pause = 0; pause < 9; pause++) {
      const turn = await pacer.turn();
      pacer.heard(turn, limited());
      pacer.heard(turn, limited());
      waits.push(await wait());
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    pacer.heard(await pacer.turn(), undefined);
    pacer.heard(await pacer.turn(), limited());
    expect(await wait()).toBe(250);
    expect(giveUp).not.toHaveBeenCalled();
  });

  it("gives up after ten pauses with no other answer between them", async () => {
    for (let pause = 0; pause < 10; pause++) {
      pacer.heard(await pacer.turn(), limited(0));
      await wait();
    }
    expect(giveUp).not.toHaveBeenCalled();
    pacer.heard(await pacer.turn(), limited(0));
    expect(giveUp).toHaveBeenCalledWith("the server answers 429 to everything");
  });

  it("lets everybody pass when it is released", async () => {
    pacer.heard(await pacer.turn(), limited(60_000));
    const turn = pacer.turn();
    pacer.release();
    await turn;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the 401s of a list", () => {
  it("holds a bounded number of them, and gives them out once", () => {
    const refusals = createRefusals<number>(2);
    expect([1, 2, 3].map((held) => refusals.refuse("us", held))).toEqual(["waits", "waits", "no-room"]);
    expect(refusals.prove("international")).toEqual([]);
    expect(refusals.prove("us")).toEqual([1, 2]);
    expect(refusals.prove("us")).toEqual([]);
    expect(refusals.refuse("us", 4)).toBe("counts");
    expect(refusals.rest()).toEqual([]);
  });
});

it("the key of a token is the same however its address ends", () => {
  const key = (baseUrl: string) => keysOf(baseUrl, "logout")("us", "token");
  expect(key("https://example.com/api/")).toEqual(key("https://EXAMPLE.com:443/api"));
  expect(key("https://example.com/api")).not.toEqual(key("https://example.com/other"));
});

describe("the map of digests", () => {
  it("knows each of many with its mark, and no other, wherever their bytes are", () => {
    const digest = (number: number) => createHash("sha256").update(String(number)).digest();
    const map = createDigestMap();
    for (let number = 0; number < 20_000; number++) map.add(digest(number), number % 3 === 0);
    map.add(digest(0), false);
    expect(map.size).toBe(20_000);
    for (let number = 0; number < 20_000; number++)
      if (map.markOf(digest(number)) !== (number % 3 === 0)) expect(number).toBe("known with its mark");
    for (let number = 20_000; number < 40_000; number++) expect(map.markOf(digest(number))).toBeUndefined();
  });
});

describe("the watch", () => {
  const network = new SessionError("network", undefined, { cause: { code: "ECONNREFUSED" } });
  const answers = (count: number, answer: string | SessionError) =>
    Array.from({ length: count }, () => answer);

  it.each([
    { code: "network", says: "does not answer" },
    { code: "timeout", says: "does not answer" },
    { code: "client-key-invalid", says: "does not accept the client key" },
    { code: "client-key-missing", says: "no client key" },
  ] as const)("gives up at the 20th $code in a row, once", ({ code, says }) => {
    const giveUp = vi.fn();
    const heard = createWatch(giveUp);
    for (const answer of answers(19, new SessionError(code))) heard(answer);
    expect(giveUp).not.toHaveBeenCalled();
    for (const answer of answers(20, new SessionError(code))) heard(answer);
    expect(giveUp).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(says));
  });

  it("goes on while any other answer comes between them, and while the server says anything of a token", () => {
    const giveUp = vi.fn();
    const heard = createWatch(giveUp);
    for (const between of ["confirmed", new SessionError("client-key-invalid"), new SessionError("rejected")])
      for (const answer of [...answers(19, network), between]) heard(answer);
    for (const code of ["server-error", "rate-limited", "rejected", "unauthorized"] as const)
      for (const answer of answers(50, new SessionError(code))) heard(answer);
    expect(giveUp).not.toHaveBeenCalled();
  });
});

describe("a guess", () => {
  const words = ["logout", "revoke", "probe", "sandbox", "accept-401"];

  it.each([
    ["logut", "logout"],
    ["lgoout", "logout"],
    ["LOGOUT", "logout"],
    ["prboe", "probe"],
    ["acept-401", "accept-401"],
    ["end", undefined],
    ["login-now", undefined],
  ])("of %s is %s", (word, meant) => {
    expect(guess(word, words)).toBe(meant);
  });
});
