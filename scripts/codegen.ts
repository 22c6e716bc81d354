/** `npm run codegen`: runs the package's own `codegen` command (`src/cli/codegen.ts`) for the package's own types. */
import { resolve } from "node:path";
import { runCommand } from "../contracts/command.ts";
import { runCodegen } from "../src/cli/codegen.ts";

const help = `Usage: npm run codegen -- [--check]

Generates src/generated/schema.ts from openapi/baanx-auth.openapi.yaml; for other
specifications there is npx --no -- baanx-session codegen.

  --check  writes nothing; fails when the file is out of date
  --help   shows this text
`;

const root = resolve(import.meta.dirname, "..");
const ownSpecification = resolve(root, "openapi", "baanx-auth.openapi.yaml");

await runCommand({
  name: "codegen",
  help,
  options: { check: { type: "boolean" } },
  async run({ check = false }) {
    process.exitCode = await runCodegen({
      ownSpecification,
      output: resolve(root, "src", "generated", "schema.ts"),
      check,
      script: "npm run codegen",
    });
  },
});
