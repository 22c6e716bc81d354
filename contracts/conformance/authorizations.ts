/** Finds the owners of the environment's OAuth authorizations, before anything is ended. */
import { type Api, Refused, Unreachable } from "../api.ts";
import type { Target } from "../target.ts";

/** The access tokens of one authorization. */
export type Tokens = [string, ...string[]];

export type Authorizations = ReturnType<typeof createAuthorizations>;

export function createAuthorizations({ authorizations }: Target, api: Api) {
  const known: { tokens: Tokens; owner: unknown }[] = [];

  const where = (isWanted: (owner: unknown) => boolean) =>
    known.filter(({ owner }) => isWanted(owner)).map(({ tokens }) => tokens);

  return {
    /**
     * Reads the owner of each authorization.
     *
     * @throws Unreachable if the environment lacks authorizations
     * @throws Refused if one is not accepted; the others stay usable
     */
    async read(): Promise<void> {
      if (authorizations.length === 0) throw new Unreachable("BAANX_TEST_OAUTH_TOKENS is not set");
      api.requireKey();
      const refused: string[] = [];
      for (const [index, [first = "", ...others]] of authorizations.entries()) {
        const { status, fields } = await api.user(first);
        if (status === 200) known.push({ tokens: [first, ...others], owner: fields["id"] });
        else refused.push(`entry ${index + 1} of BAANX_TEST_OAUTH_TOKENS was answered with ${status}`);
      }
      if (refused.length > 0) throw new Refused(refused.join(", "));
    },
    ofUser: (userId: unknown) => where((owner) => owner === userId),
    ofOthers: (userId: unknown) => where((owner) => owner !== userId),
  };
}
