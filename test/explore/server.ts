/** The server: which sign-ins there were, which of their tokens it accepts, and what an ending or a renewal does to them. */
import type { Endpoint, Grant } from "../../src/record.ts";

/** One sign-in, with all access tokens that it ever had. */
export interface SignIn {
  id: string;
  /** Counts up with each. */
  at: number;
  grant: Grant;
  userId: string | undefined;
  tokens: string[];
  isEnded: boolean;
  /** The tab that ended it. */
  endedBy?: number;
}

/** @param isUnlocked - whether a refresh token works more than once, and an access token outlives its renewal */
export function createServer(isUnlocked: boolean, idOf: (count: number) => string) {
  let count = 0;
  const signIns: SignIn[] = [];
  /** What it accepts, and whose it is. */
  const alive = new Map<string, SignIn>();
  return {
    signIns,
    alive,
    /** How many tokens it has given. */
    get count() {
      return count;
    },
    signIn(grant: Grant, userId: string | undefined): SignIn & { token: string } {
      const token = `token-${++count}`;
      const signIn = { id: idOf(count), at: count, grant, userId, tokens: [token], isEnded: false, token };
      signIns.push(signIn);
      alive.set(token, signIn);
      return signIn;
    },
    /** The next access token; undefined where it is refused. */
    renew(id: string, accessToken: string): string | undefined {
      const next = `token-${++count}`;
      const signIn = signIns.find((one) => one.id === id);
      const newest = signIn?.tokens.at(-1);
      // It rotates: only the last one counts, while it lives.
      const isUsable = isUnlocked || newest === accessToken;
      if (!signIn || !newest || !isUsable || !alive.has(newest)) return undefined;
      signIn.tokens.push(next);
      alive.set(next, signIn);
      // The access token before it runs out by itself.
      if (!isUnlocked) alive.delete(newest);
      return next;
    },
    /**
     * Ends what there is to end.
     *
     * @param sentAt - the count of tokens when it was sent: a request that is on its way cannot be called back
     */
    end(accessToken: string, endpoint: Endpoint, sentAt: number): void {
      const owner = alive.get(accessToken);
      if (!owner) return;
      alive.delete(accessToken);
      if (endpoint === "logout") return;
      for (const [token, { grant, userId }] of alive)
        if (grant === "oauth" && userId === owner.userId && Number(token.slice(6)) <= sentAt)
          alive.delete(token);
    },
    ownerOf: (token: string | undefined) => signIns.find(({ tokens }) => tokens.includes(token ?? "")),
  };
}

export type Server = ReturnType<typeof createServer>;
