/** `npm run sandbox`: the command `baanx-session sandbox`, from the sources. */
import { main } from "../src/cli/main.ts";

process.exitCode = await main(["sandbox", ...process.argv.slice(2)], () => "");
