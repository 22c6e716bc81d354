/** `npm run contracts:record-support-ended`; what it does is `contracts/broker/record.ts`. */
import { runRecord } from "../contracts/broker/record.ts";

process.exitCode = await runRecord("record-support-ended");
