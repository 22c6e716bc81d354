/** Targets of a run: valid addresses, and the environment. */
import { describe, expect, it } from "vitest";
import { UsageError } from "./command.ts";
import { redact, targetFrom } from "./target.ts";

const local = "http://127.0.0.1:8080";

describe("the address of a provider", () => {
  it.each([
    "https://api.baanx.com",
    "https://API.Baanx.com/",
    "https://api.baanx.com./v1",
    "https://api.baanx.com:443",
  ])("%s is production, and refused without leave", (address) => {
    expect(() => targetFrom({}, address, false)).toThrow("production");
    expect(targetFrom({}, address, true).isSandbox).toBe(false);
  });

  it.each(["nowhere", "http://dev.api.baanx.com", "ftp://127.0.0.1", "https://ada:secret@dev.api.baanx.com"])(
    "%s is refused",
    (address) => {
      expect(() => targetFrom({}, address, true)).toThrow(UsageError);
    },
  );

  it.each([local, "http://localhost:1", "http://[::1]:1", "https://dev.api.baanx.com"])(
    "%s is taken",
    (address) => {
      expect(targetFrom({}, `${address}/`, false).baseUrl).toBe(address);
    },
  );
});

describe("the environment", () => {
  it("lists OAuth authorizations, each with one access token or several", () => {
    const environment = { BAANX_TEST_OAUTH_TOKENS: "a1, a2+a3 ,,b1+" };
    expect(targetFrom(environment, local, false).authorizations).toEqual([["a1"], ["a2", "a3"], ["b1"]]);
  });

  it("treats an empty variable as unset", () => {
    const environment = { BAANX_CLIENT_KEY: "", BAANX_TEST_EMAIL: "", BAANX_TEST_OAUTH_TOKENS: "" };
    const { clientKey, email, authorizations, secrets } = targetFrom(environment, local, false);
    expect({ clientKey, email, authorizations, secrets }).toEqual({
      clientKey: undefined,
      email: undefined,
      authorizations: [],
      secrets: [],
    });
  });

  it("redacts the whole of a secret that contains another one", () => {
    expect(redact("the-token-of-ada", { secrets: ["ada", "the-token-of-ada"] })).toBe("[secret]");
  });

  it("redacts every secret", () => {
    const environment = {
      BAANX_CLIENT_KEY: "the-key",
      BAANX_TEST_EMAIL: "ada@example.com",
      BAANX_TEST_PASSWORD: "the-password",
      BAANX_TEST_OAUTH_TOKENS: "token-1,token-2+token-3",
    };
    const text = "the-key ada@example.com the-password token-1 token-2 token-3";
    expect(redact(text, targetFrom(environment, local, false))).toBe(
      "[secret] [secret] [secret] [secret] [secret] [secret]",
    );
  });
});
