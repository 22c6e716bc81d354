/** `node --import` of this writes the peak of the process's memory, in kB, to the file in PEAK_MEMORY. */
import { writeFileSync } from "node:fs";

const file = process.env.PEAK_MEMORY;
process.once("exit", () => writeFileSync(file, String(process.resourceUsage().maxRSS)));
