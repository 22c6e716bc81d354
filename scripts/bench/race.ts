/**
 * Measures contenders side by side. In each round, every contender makes its calls, in rotating order. Its time is divided
 * by another contender's time in the same round, and the median of these ratios is the result. Other work on the machine
 * slows down one round for all contenders.
 */
import type { Row } from "./table.ts";

export interface Contender {
  name: string;
  /** Runs before the calls of a round, unmeasured. */
  prepare?(calls: number): Promise<void> | void;
  /** Makes one call. `index` counts the calls of the round. */
  call(index: number): Promise<unknown>;
}

interface Lap {
  /** Microseconds per call: elapsed time, and this process's processor time. */
  wall: number;
  cpu: number;
}

const WARM_UP = 3;

/** @param over - the names of the baselines */
export async function race(
  contenders: Contender[],
  { rounds, calls, over }: { rounds: number; calls: number; over: string[] },
): Promise<Row[]> {
  const laps = new Map<string, Lap[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -WARM_UP; round < rounds; round++) {
    const turn = (round + WARM_UP) % contenders.length;
    for (const contender of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
      const lap = await lapOf(contender, calls);
      if (round >= 0) laps.get(contender.name)?.push(lap);
    }
  }
  return contenders.map(({ name }) => {
    const own = laps.get(name) ?? [];
    const row: Row = {
      name,
      µs: rounded(median(own.map(({ wall }) => wall))),
      "cpu µs": rounded(median(own.map(({ cpu }) => cpu))),
    };
    for (const base of over) {
      const others = laps.get(base) ?? [];
      const ratio = (of: keyof Lap) => median(own.map((lap, i) => lap[of] / (others[i]?.[of] ?? Number.NaN)));
      row[`× ${base}`] = rounded(ratio("wall"));
      row[`cpu × ${base}`] = rounded(ratio("cpu"));
    }
    return row;
  });
}

async function lapOf({ prepare, call }: Contender, calls: number): Promise<Lap> {
  await prepare?.(calls);
  // Collects the garbage of the previous contender before the measurement.
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const begun = performance.now();
  for (let index = 0; index < calls; index++) await call(index);
  const wall = (performance.now() - begun) * 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { wall: wall / calls, cpu: (user + system) / calls };
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}

export const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

/** Returns the number in a row's column. */
export function numberIn(rows: Row[], name: string, column: string): number {
  return Number(rows.find((row) => row.name === name)?.[column]);
}
