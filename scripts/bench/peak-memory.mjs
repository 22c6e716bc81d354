/** Load with `node --import`: writes the peak memory of the process, in kB, to the file in PEAK_MEMORY. */
import { writeFileSync } from "node:fs";

const file = process.env.PEAK_MEMORY;
process.once("exit", () => writeFileSync(file, String(process.resourceUsage().maxRSS)));
