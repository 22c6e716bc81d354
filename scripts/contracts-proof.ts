/**
 * `npx tsx scripts/contracts-proof.ts`: runs contracts and conformance against every broken provider and shows what
 * noticed each. What is broken, and how it is judged, is `contracts/proof`.
 */
import { runCommand } from "../contracts/command.ts";
import { readPact } from "../contracts/pact-file.ts";
import { brokenAnswers } from "../contracts/proof/broken-answers.ts";
import { brokenAssumptions } from "../contracts/proof/broken-assumptions.ts";
import { brokenEffects } from "../contracts/proof/broken-effects.ts";
import { proveAll } from "../contracts/proof/proof.ts";
import { isCaught, proofReport } from "../contracts/proof/report.ts";

const help = `Usage: npx tsx scripts/contracts-proof.ts

Runs contracts and conformance against every broken provider, and shows what noticed each.

  --help  shows this text

Exit codes: 0 each broken provider is rejected, 1 one is not, 2 wrong usage.
`;

await runCommand({
  name: "contracts-proof",
  help,
  options: {},
  async run() {
    const broken = [...brokenAnswers, ...brokenEffects];
    const proofs = await proveAll([...broken, ...brokenAssumptions], await readPact());
    const rejected = proofs.slice(0, broken.length).filter(isCaught);
    process.stdout.write(`${proofReport(proofs)}
${rejected.length} of ${broken.length} broken providers are rejected. ${brokenAssumptions.length} more contradict
only what was observed or assumed, which is shown in parentheses and rejects nobody.
`);
    if (rejected.length < broken.length) process.exitCode = 1;
  },
});
