/** `npm run broker`: starts a Pact Broker; with `-- setup` or `-- webhook` first, prepares one. */
import { runCommand } from "../contracts/command.ts";
import { setup } from "./broker/setup.ts";
import { start } from "./broker/start.ts";
import { webhook } from "./broker/webhook.ts";

const [verb, ...rest] = process.argv.slice(2);

if (verb === "setup") await runCommand(setup, rest);
else if (verb === "webhook") await runCommand(webhook, rest);
else await runCommand(start);
