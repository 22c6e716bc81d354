/** The command `completion`: a script that completes commands and options in bash and zsh. */
import { commands, options, UsageError } from "./usage.ts";

/** The options whose value is a file. */
const files = "--journal|--output|--pact";

/** @throws UsageError */
export function completion(shell: string | undefined): string {
  if (shell !== "bash" && shell !== "zsh") throw new UsageError("completion needs a shell: bash or zsh.");
  const cases = Object.entries(commands).map(
    ([command, names]) =>
      `    ${command}) words="${[...names, "help"].map((name) => `--${name}`).join(" ")}" ;;`,
  );
  const values = Object.entries(options).filter(([, { type }]) => type === "string");
  return `${shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : ""}_baanx_session() {
  local words=""
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  [ "$COMP_CWORD" -gt 1 ] || words="${Object.keys(commands).join(" ")} help --help --version"
  case "\${COMP_WORDS[COMP_CWORD - 1]}" in
    --region) words="international us" ;;
    completion) words="bash zsh" ;;
    ${files}) COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); return ;;
    ${values.map(([name]) => `--${name}`).join("|")}) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _baanx_session baanx-session
`;
}
