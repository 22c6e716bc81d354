/** Bytes in a web page: each contender, bundled and minified with its dependencies. */
import { webBundle } from "../web-bundle.ts";
import { rounded } from "./race.ts";
import { report } from "./table.ts";

const rows: [name: string, code: string][] = [
  ["createSession", 'export { createSession } from "../../src/index.ts"'],
  ["openapi-fetch", 'export { default } from "openapi-fetch"'],
  ["@hey-api/client-fetch", 'export { createClient } from "@hey-api/client-fetch"'],
  ["ky", 'export { default } from "ky"'],
  ["@badgateway/oauth2-client", 'export { OAuth2Client } from "@badgateway/oauth2-client"'],
  ["oauth4webapi, revocation", 'export { revocationRequest, processRevocationResponse } from "oauth4webapi"'],
  ["oidc-client-ts", 'export { UserManager } from "oidc-client-ts"'],
  ["@auth0/auth0-spa-js", 'export { createAuth0Client } from "@auth0/auth0-spa-js"'],
  ["@supabase/auth-js", 'export { AuthClient } from "@supabase/auth-js"'],
];

const sizes = await Promise.all(
  rows.map(async ([name, code]) => ({ name, ...(await webBundle(code, import.meta.dirname)) })),
);
const own = sizes[0]?.size ?? Number.NaN;

report({
  title: "Size in a web page",
  note: "esbuild, minified, for browsers, gzip level 9. createSession has openapi-fetch in it.",
  rows: sizes.map(({ name, size }) => ({
    name,
    "bytes gzipped": size,
    "× createSession": rounded(size / own),
  })),
  targets: [],
});
