/** A page for each file that a document links to: its text, with highlighting. */
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { linkedFiles, root } from "./pages.ts";

export default {
  paths: () =>
    linkedFiles().map((file) => ({
      params: { page: `source/${file}` },
      content: `# ${file.split("/").at(-1)}\n\n\`${file}\`\n\n\`\`\`\`${extname(file).slice(1) || "text"}\n${readFileSync(join(root, file), "utf8")}\`\`\`\`\n`,
    })),
};
