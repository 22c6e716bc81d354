/** `npm run codegen`: the command `codegen` of the package (`src/cli/codegen.ts`), for the package's own types. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { firstSentence } from "../contracts/message.ts";
import { runCodegen } from "../src/cli/codegen.ts";

const help = `Usage: npm run codegen -- [--check]

Generates src/generated/schema.ts from openapi/baanx-auth.openapi.yaml; for other
specifications there is npx baanx-session codegen.

  --check  writes nothing; fails when the file is out of date
  --help   shows this text
`;

const root = resolve(import.meta.dirname, "..");
const ownSpecification = resolve(root, "openapi", "baanx-auth.openapi.yaml");

try {
  const { values } = parseArgs({ options: { check: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) process.stdout.write(help);
  else
    process.exitCode = await runCodegen({
      ownSpecification,
      output: resolve(root, "src", "generated", "schema.ts"),
      check: values.check === true,
      script: "npm run codegen",
    });
} catch (error) {
  process.stderr.write(`codegen: ${firstSentence(error)} See --help.\n`);
  process.exitCode = 2;
}
