/** axios over `session.fetch`: with its tokens and its renewal, and without a token in the errors of axios. */
import axios, { type AxiosInstance } from "axios";
import type { Session } from "baanx-session";

/** @param baseURL - the `baseUrl` of the session: it sends its credentials nowhere else */
export const axiosOver = ({ fetch }: Pick<Session, "fetch">, baseURL: string): AxiosInstance =>
  axios.create({ baseURL, adapter: "fetch", env: { fetch } });
