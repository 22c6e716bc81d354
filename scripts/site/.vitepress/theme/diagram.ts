/** Draws a Mermaid diagram in the page's colours. Mermaid is loaded by pages that have a diagram, and by no other. */
import mermaidUrl from "@mermaid-js/tiny/dist/mermaid.tiny.js?url";
import { useData } from "vitepress";
import { defineComponent, h, onMounted, ref, watch } from "vue";

interface Mermaid {
  initialize(options: object): void;
  render(id: string, source: string): Promise<{ svg: string }>;
}

let loading: Promise<Mermaid> | undefined;
let drawn = 0;

export const Diagram = defineComponent({
  props: { source: { type: String, required: true } },
  setup({ source }) {
    const { isDark } = useData();
    const svg = ref("");
    onMounted(() => watch(isDark, draw, { immediate: true, flush: "post" }));
    return () => h("div", { class: "diagram", role: "img", tabindex: 0, innerHTML: svg.value });

    async function draw(): Promise<void> {
      loading ??= load();
      // Its labels are measured: their font must be there.
      const [mermaid] = await Promise.all([loading, document.fonts.ready]);
      const styles = getComputedStyle(document.documentElement);
      const colour = (name: string) => styles.getPropertyValue(name).trim();
      const size = { useMaxWidth: false };
      mermaid.initialize({
        startOnLoad: false,
        theme: "base",
        flowchart: size,
        sequence: size,
        state: size,
        themeVariables: {
          darkMode: isDark.value,
          fontSize: "15px",
          fontFamily: getComputedStyle(document.body).fontFamily,
          background: colour("--vp-c-bg"),
          primaryColor: colour("--diagram-node"),
          primaryTextColor: colour("--vp-c-text-1"),
          primaryBorderColor: colour("--vp-c-brand-1"),
          lineColor: colour("--vp-c-text-2"),
          secondaryColor: colour("--vp-c-bg-soft"),
          tertiaryColor: colour("--vp-c-bg-soft"),
          noteBkgColor: colour("--vp-c-bg-soft"),
          noteTextColor: colour("--vp-c-text-1"),
          noteBorderColor: colour("--vp-c-divider"),
          edgeLabelBackground: colour("--vp-c-bg"),
        },
      });
      svg.value = (await mermaid.render(`diagram-${drawn++}`, decodeURIComponent(source))).svg;
    }
  },
});

function load(): Promise<Mermaid> {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: mermaidUrl });
    script.addEventListener("load", () => resolve((globalThis as unknown as { mermaid: Mermaid }).mermaid));
    script.addEventListener("error", () => reject(new Error("The diagrams could not be loaded.")));
    document.head.append(script);
  });
}
