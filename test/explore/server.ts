/** The server: the sign-ins, the tokens that it accepts, and the effect of an ending or a renewal on them. */
import type { Endpoint, Grant, Region } from "../../src/record.ts";

/** One sign-in, with every token that it ever had. */
export interface SignIn {
  /** Its place in the order of sign-ins. */
  at: number;
  grant: Grant;
  userId: string | undefined;
  region: Region;
  /** The id of its record, once a session has started with it. */
  id: string;
  tokens: string[];
  refreshToken: string | undefined;
  /** The tabs that ended it. */
  endedBy: Set<number>;
  /** The knowledge of its end: a tab that had not heard of it may have ended it. */
  mustEnd: boolean;
  mayEnd: boolean;
  /** True if the server refused to renew it. */
  isRenewalRefused: boolean;
  /** True if a second session was started with its tokens. */
  isRestarted: boolean;
}

/** One answer that a tab received to an ending. */
interface Answered {
  token: string;
  endpoint: Endpoint | "user";
  status: number;
}

/** @param isReusable - whether a refresh token works more than once, as without rotation */
export function createServer(isReusable: boolean) {
  let count = 0;
  const signIns: SignIn[] = [];
  const alive = new Map<string, SignIn>();
  const answers: Answered[] = [];
  const refreshOwners = new Map<string, SignIn>();
  // Later tokens are lesser strings, so that no comparison of strings takes the place of a rule.
  const nameOf = (kind: string, number: number) => `test-${kind}-${1_000 - number}`;
  const numberOf = (token: string) => 1_000 - Number(token.replace(/\D/g, ""));

  function mint(signIn: SignIn): string {
    const token = nameOf("access", ++count);
    signIn.tokens.push(token);
    alive.set(token, signIn);
    if (signIn.grant === "oauth" && !(isReusable && signIn.refreshToken)) {
      signIn.refreshToken = nameOf("refresh", count);
      refreshOwners.set(signIn.refreshToken, signIn);
    }
    return token;
  }

  return {
    signIns,
    alive: alive as ReadonlyMap<string, SignIn>,
    answers,
    /** Number of tokens. */
    get count() {
      return count;
    },
    ownerOf: (token: string) => signIns.find(({ tokens }) => tokens.includes(token)),
    byId: (id: string | undefined) => signIns.find((signIn) => signIn.id === id),
    signIn(grant: Grant, userId: string | undefined, region: Region): SignIn {
      const signIn: SignIn = {
        at: signIns.length,
        grant,
        userId,
        region,
        id: "",
        tokens: [],
        refreshToken: undefined,
        endedBy: new Set(),
        mustEnd: false,
        mayEnd: false,
        isRenewalRefused: false,
        isRestarted: false,
      };
      mint(signIn);
      signIns.push(signIn);
      return signIn;
    },
    expire: (token: string) => alive.delete(token),
    /** Returns the session of a refresh token, and its new access token unless it is refused. */
    renew(refreshToken: string): { signIn: SignIn | undefined; token: string | undefined } {
      const signIn = refreshOwners.get(refreshToken);
      return { signIn, token: signIn?.refreshToken === refreshToken ? mint(signIn) : undefined };
    },
    /**
     * Ends a token; a revoke ends all tokens of the user's authorizations.
     *
     * @param sentAt - number of tokens when it was sent: a request in flight cannot be called back
     * @returns the status, and the tokens that ended with it
     */
    end(token: string, endpoint: Endpoint, sentAt: number): { status: number; ended: string[] } {
      const owner = alive.get(token);
      if (!owner) return { status: 401, ended: [] };
      const isOfUser = (one: SignIn) =>
        one.grant === "oauth" && one.userId === owner.userId && one.region === owner.region;
      const ended = [...alive.keys()].filter((other) => {
        const one = alive.get(other);
        const isRevoked = endpoint === "revoke" && one && isOfUser(one) && numberOf(other) <= sentAt;
        return other === token || isRevoked;
      });
      for (const other of ended) alive.delete(other);
      if (endpoint === "revoke")
        for (const one of signIns)
          if (isOfUser(one) && one.refreshToken && numberOf(one.refreshToken) <= sentAt)
            one.refreshToken = undefined;
      return { status: 200, ended };
    },
  };
}

export type Server = ReturnType<typeof createServer>;
