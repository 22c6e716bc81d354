/** Draws the Mermaid diagrams of a page of the site. Loads Mermaid only on pages with diagrams. */
const { base, theme: chosen } = document.documentElement.dataset;
const blocks = [...document.querySelectorAll("pre > code.mermaid")];

if (blocks.length > 0) {
  const isDark = chosen === "dark" || (chosen === "os" && matchMedia("(prefers-color-scheme: dark)").matches);
  const script = document.createElement("script");
  script.src = `${base}assets/mermaid.js`;
  script.addEventListener("load", () => {
    const { mermaid } = globalThis;
    // Natural size; site.css limits it.
    const size = { useMaxWidth: false };
    const theme = isDark ? "dark" : "default";
    mermaid.initialize({ startOnLoad: false, theme, flowchart: size, sequence: size, state: size });
    const nodes = blocks.map((block) => {
      const figure = document.createElement("div");
      figure.className = "diagram";
      figure.textContent = block.textContent;
      block.parentElement.replaceWith(figure);
      return figure;
    });
    void mermaid.run({ nodes });
  });
  document.head.append(script);
}
