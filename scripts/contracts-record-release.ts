/** `npm run contracts:record-release`; what it does is `contracts/broker/record.ts`. */
import { runRecord } from "../contracts/broker/record.ts";

process.exitCode = await runRecord("record-release");
