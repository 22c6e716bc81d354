/**
 * Extends TypeDoc for the site: a document is named by its heading and addressed by its file, links to files of `docs/api`
 * lead to pages of the site, and every page links to the specification.
 */
import { join, relative } from "node:path";
import {
  type Application,
  type CommentDisplayPart,
  Converter,
  type DocumentReflection,
  JSX,
  KindRouter,
  type NormalizedPath,
  type ProjectReflection,
  type Reflection,
} from "typedoc";

const root = join(import.meta.dirname, "..", "..");

/** Entry point for TypeDoc. */
export function load(app: Application): void {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => nameByHeading(document));
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    withoutHeading(project.readme);
    registerApi(project);
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const path of project.files.getMediaPaths())
      if (path.endsWith(".md"))
        app.logger.warn(`${path} is no page of the site: add it to scripts/site/typedoc.json`);
  });
  app.renderer.defineRouter("site", SiteRouter);
  app.renderer.hooks.on("sidebar.begin", ({ relativeURL }) =>
    JSX.createElement(
      "a",
      { class: "specification", href: relativeURL("specification.html") ?? "" },
      "Specification of the API",
    ),
  );
}

/** Maps `docs/concepts.md` to `docs/concepts.html`, and a `README.md` to the name of its folder. */
class SiteRouter extends KindRouter {
  protected override getIdealBaseName(reflection: Reflection): string {
    const file = reflection.isDocument() && reflection.project.files.getReflectionPath(reflection);
    if (!file) return super.getIdealBaseName(reflection);
    return relative(root, file).replace(/(\/README)?\.md$/, "");
  }
}

function nameByHeading(document: DocumentReflection): void {
  document.name = headingOf(document.content)?.name ?? document.name;
}

/** Removes the heading of the start page, which already shows the project's name. */
function withoutHeading(content: CommentDisplayPart[] = []): void {
  const [first] = content;
  if (first) first.text = first.text.slice(headingOf(content)?.line.length);
}

function headingOf([first]: CommentDisplayPart[]): { line: string; name: string } | undefined {
  const [line, name] = /^# (.*)\n/.exec(first?.text ?? "") ?? [];
  return line && name ? { line, name } : undefined;
}

function registerApi(project: ProjectReflection): void {
  const register = (name: string, page: Reflection) =>
    project.files.registerReflectionPath(join(root, "docs", "api", `${name}.md`) as NormalizedPath, page);
  for (const module of project.children ?? []) {
    register(module.name, module);
    if (module.name === "index") register("README", module);
  }
}
