/** `node --import` of this writes the process's processor time, in microseconds, to the file in CPU_TIME. */
import { writeFileSync } from "node:fs";

const file = process.env.CPU_TIME;
process.once("exit", () => {
  const { user, system } = process.cpuUsage();
  writeFileSync(file, String(user + system));
});
