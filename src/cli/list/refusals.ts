/**
 * When a 401 counts as ended: a wrong environment answers 401 to everything, so the first 200 of a region is the
 * proof that its 401s mean something. Until then they wait here, a bounded number of them.
 */
import type { Region } from "../../record.ts";

export interface Refusals<Held> {
  /** A 200 of this region: returns what has waited for it. */
  prove(region: Region): Held[];
  /** A 401 of this region: whether it counts now, waits, or finds no room to wait. */
  refuse(region: Region, held: Held): "counts" | "waits" | "no-room";
  /** Takes out all that still waits. */
  rest(): Held[];
}

export function createRefusals<Held>(limit: number): Refusals<Held> {
  const proven = new Set<Region>();
  const waiting: Record<Region, Held[]> = { international: [], us: [] };

  const take = (region: Region) => waiting[region].splice(0);
  return {
    prove(region) {
      proven.add(region);
      return take(region);
    },
    refuse(region, held) {
      if (proven.has(region)) return "counts";
      if (waiting[region].length >= limit) return "no-room";
      waiting[region].push(held);
      return "waits";
    },
    rest: () => [...take("international"), ...take("us")],
  };
}
