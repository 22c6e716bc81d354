/** The navigation: every page of the site, grouped by the reader's question. */
import type { DefaultTheme } from "vitepress";

const group = (text: string, pages: Readonly<Record<string, string>>): DefaultTheme.SidebarItem => ({
  text,
  items: Object.entries(pages).map(([link, title]) => ({ text: title, link })),
});

export const sections: DefaultTheme.SidebarItem[] = [
  group("Introduction", {
    "/start": "Start",
    "/concepts": "Concepts",
    "/results-and-errors": "Results and errors",
  }),
  group("Guides", {
    "/oauth": "OAuth sign-in",
    "/one-time-password": "One-time password",
    "/renewal": "Renewal",
    "/sign-out-everywhere": "Sign out everywhere",
    "/shared-computers": "Shared computers",
    "/frameworks": "Frameworks",
    "/servers": "Servers",
    "/incidents": "Incident response",
    "/tests": "Tests and CI",
    "/recipes": "More recipes",
    "/examples/migrate": "From the documented example",
  }),
  group("Examples", {
    "/examples/browser": "The example page",
    "/examples/nextjs": "Next.js",
    "/examples/sveltekit": "SvelteKit",
    "/examples/react-native": "React Native",
    "/examples/server-redis": "Back end over Redis",
    "/examples/server-queue": "Endings as jobs",
  }),
  group("Reference", {
    "/api/": "API reference",
    "/api/baanx-session": "baanx-session",
    "/api/sandbox": "baanx-session/sandbox",
    "/api/react": "baanx-session/react",
    "/api/stores/redis": "baanx-session/redis",
    "/api/stores/postgres": "baanx-session/postgres",
    "/api/stores/unstorage": "baanx-session/unstorage",
    "/specification": "Specification of the API",
    "/command-line": "Command line",
    "/runtimes": "Runtimes and CORS",
  }),
  group("Trust", {
    "/evidence": "Evidence",
    "/open-questions": "Open questions",
    "/security": "Security in an application",
    "/security-policy": "Security policy",
    "/measurements": "Measurements",
  }),
  group("Contracts", {
    "/contracts": "The contracts",
    "/broker": "The contract and a broker",
  }),
  group("The project", {
    "/architecture": "Architecture",
    "/decisions": "Decisions",
    "/contributing": "Contributing",
    "/changelog": "Changelog",
  }),
];

/** Returns the name of a page in the navigation, such as of `api/react.md`. */
export const titleOf = (address: string): string | undefined =>
  sections.flatMap(({ items = [] }) => items).find(({ link }) => link === linkOf(address))?.text;

/** Returns the link to a page, such as `/api/` for `api/index.md`. */
export const linkOf = (address: string): string => `/${address.replace(/(\bindex)?\.md$/, "")}`;
