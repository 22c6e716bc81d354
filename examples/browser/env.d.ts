/** The values that `serve.ts` puts into the page. */
/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_BAANX_URL: string;
  readonly VITE_BAANX_CLIENT_KEY: string;
  readonly VITE_BAANX_EMAIL?: string;
  readonly VITE_BAANX_PASSWORD?: string;
  /** The users who can sign in. */
  readonly VITE_BAANX_HINT?: string;
}
