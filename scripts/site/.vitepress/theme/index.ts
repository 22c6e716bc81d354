/** VitePress's own theme in the colours of the example page, and a component that draws Mermaid. */
/// <reference types="vite/client" />
import DefaultTheme from "vitepress/theme";
import { Diagram } from "./diagram.ts";
import "./theme.css";

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }: { app: import("vue").App }) => void app.component("Diagram", Diagram),
};
