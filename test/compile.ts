/** Compiles the TypeScript of a document as if it were a file of this project, which imports the package by its name. */
import { join, resolve } from "node:path";
import ts from "typescript";

const root = resolve(import.meta.dirname, "..");

/** The blocks of TypeScript in a text in Markdown. */
export const blocksOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);

/** What the compiler has to say about each text, with the options of this project. */
export function problemsOf(name: string, codes: readonly string[]): string[] {
  const files = new Map(codes.map((code, index) => [join(root, `${name}-${index}.ts`), code]));
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const paths = {
    "baanx-session": [join(root, "src", "index.ts")],
    "baanx-session/sandbox": [join(root, "src", "sandbox", "index.ts")],
  };
  const own = { ...options, noEmit: true, skipDefaultLibCheck: true, paths };
  const host = ts.createCompilerHost(own);
  const { getSourceFile } = host;
  host.getSourceFile = (file, ...rest) => {
    const code = files.get(file);
    return code === undefined
      ? getSourceFile(file, ...rest)
      : ts.createSourceFile(file, code, ts.ScriptTarget.ES2022);
  };
  const program = ts.createProgram([...files.keys()], own, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
}
