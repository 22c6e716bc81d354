/** What Vite puts into the page, by `serve.ts`. */
/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_BAANX_URL: string;
  readonly VITE_BAANX_CLIENT_KEY: string;
  readonly VITE_BAANX_EMAIL?: string;
  readonly VITE_BAANX_PASSWORD?: string;
  /** Who can sign in. */
  readonly VITE_BAANX_HINT?: string;
}
