/** The parts of lists: how far they read ahead, how they wait, when they give up, and their progress. */
import { mkdtempSync, openSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { linesOf } from "../src/cli/list/lines.ts";
import { createCircuitBreaker, createPacer } from "../src/cli/list/pacing.ts";
import { createReport } from "../src/cli/list/report.ts";
import type { Io } from "../src/cli/output.ts";
import { SessionError } from "../src/errors.ts";
import { useFakeTime } from "./support.ts";

/** Opens a new file with this content. */
function fileOf(content: string): number {
  const path = join(mkdtempSync(join(tmpdir(), "cli-parts-")), "list");
  writeFileSync(path, content);
  return openSync(path, "r");
}

describe("the lines of a stream", () => {
  const texts = async (chunks: (string | Uint8Array)[]) => {
    const found: (string | undefined)[] = [];
    for await (const { text } of linesOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))))
      found.push(text);
    return found;
  };

  it("reads the same lines wherever the stream is cut, within a character too", async () => {
    const bytes = Buffer.from("\ufeffone\n\nzwei – €\nlast");
    for (let cut = 0; cut <= bytes.length; cut++)
      expect(await texts([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([
        "one",
        "",
        "zwei – €",
        "last",
      ]);
  });

  it("counts lines that are too long, and does not keep them", async () => {
    expect(await texts([`a\n${"x".repeat(40_000)}`, `${"x".repeat(40_000)}\nb\n`])).toEqual([
      "a",
      undefined,
      "b",
    ]);
  });

  it("reads lines no faster than they are asked for", async () => {
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
    // Three chunks for 250 lines, and the buffer of the stream.
    expect(made).toBeLessThan(8);
    endless.destroy();
  });
});

describe("the pacer", () => {
  const limited = (retryAfter?: number) =>
    new SessionError("rate-limited", "status 429", { ...(retryAfter !== undefined && { retryAfter }) });
  const giveUp = vi.fn();
  const onPause = vi.fn();
  let stop: AbortController;
  let pacer: ReturnType<typeof createPacer>;

  beforeEach(() => {
    vi.useFakeTimers();
    giveUp.mockReset();
    onPause.mockReset();
    stop = new AbortController();
    pacer = createPacer({ signal: stop.signal, giveUp, onPause });
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
    pacer.answered(turn, limited(2_000));
    pacer.answered(turn, limited(5_000));
    pacer.answered(turn, limited(1_000));
    expect(onPause.mock.calls).toEqual([[2_000], [5_000]]);
    expect(await wait()).toBe(5_000);
  });

  it("waits twice as long each time without Retry-After, and a burst counts once", async () => {
    const waits: number[] = [];
    for (let pause = 0; pause < 9; pause++) {
      const turn = await pacer.turn();
      pacer.answered(turn, limited());
      pacer.answered(turn, limited());
      waits.push(await wait());
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    pacer.answered(await pacer.turn(), undefined);
    pacer.answered(await pacer.turn(), limited());
    expect(await wait()).toBe(250);
    expect(giveUp).not.toHaveBeenCalled();
  });

  it("gives up after ten pauses with no other answer between them", async () => {
    for (let pause = 0; pause < 10; pause++) {
      pacer.answered(await pacer.turn(), limited(0));
      await wait();
    }
    expect(giveUp).not.toHaveBeenCalled();
    pacer.answered(await pacer.turn(), limited(0));
    expect(giveUp).toHaveBeenCalledWith("the server answers 429 to everything");
  });

  it("gives up at once when the server asks for more than ten minutes", async () => {
    pacer.answered(await pacer.turn(), limited(600_001));
    expect(giveUp).toHaveBeenCalledExactlyOnceWith("the server asks to wait 11 minutes");
    expect(onPause).not.toHaveBeenCalled();
  });

  it("ends its pauses when the run stops", async () => {
    pacer.answered(await pacer.turn(), limited(60_000));
    const turn = pacer.turn();
    stop.abort();
    await turn;
    await pacer.turn();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the circuit breaker", () => {
  const network = new SessionError("network", undefined, { cause: { code: "ECONNREFUSED" } });
  const answers = (count: number, answer: string | SessionError) =>
    Array.from({ length: count }, () => answer);

  it("gives up at the 20th answer of a kind in a row, once", () => {
    const giveUp = vi.fn();
    const onAnswer = createCircuitBreaker(giveUp);
    for (const answer of answers(19, new SessionError("timeout"))) onAnswer(answer);
    expect(giveUp).not.toHaveBeenCalled();
    for (const answer of answers(20, new SessionError("timeout"))) onAnswer(answer);
    expect(giveUp).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("does not answer"));
  });

  it("goes on while any other answer comes between them, and while the server says anything of a token", () => {
    const giveUp = vi.fn();
    const onAnswer = createCircuitBreaker(giveUp);
    for (const between of ["confirmed", new SessionError("client-key-invalid"), new SessionError("rejected")])
      for (const answer of [...answers(19, network), between]) onAnswer(answer);
    for (const code of ["server-error", "rate-limited", "rejected", "unauthorized"] as const)
      for (const answer of answers(50, new SessionError(code))) onAnswer(answer);
    expect(giveUp).not.toHaveBeenCalled();
  });
});

describe("the report", () => {
  it("counts only the tokens of this run in the rate and in the time left", async () => {
    useFakeTime();
    const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: true })];
    const list = "x".repeat(1_000);
    // A file of 1,000 bytes.
    const stdin = Object.assign(new PassThrough(), { fd: fileOf(list) });
    const io = { env: {}, stdin, stdout, stderr } as unknown as Io;
    const report = createReport(io, "logout", false, () => {});
    const row = (line: number) => ({ line, accessToken: "token", region: "us" }) as const;
    for (let line = 1; line <= 50; line++) {
      await report.journaled(row(line), "confirmed");
      report.advance({ number: line, bytes: 10 }, false);
    }
    vi.setSystemTime(Date.now() + 5_000);
    for (let line = 51; line <= 60; line++) {
      await report.outcome(row(line), { server: "confirmed" }, new Date());
      report.advance({ number: line, bytes: 10 }, true);
    }
    report.draw();
    // 10 tokens in 5 s, and 40 are left.
    expect(String(stderr.read()).split("\r\x1b[K").at(-1)).toBe("60% | 60 done | 2/s | 20 s left");
    report.summary(false, "");
    expect(String(stderr.read())).toContain("60 confirmed (50 from the journal); 5.0 s, 2/s.");
  });
});
