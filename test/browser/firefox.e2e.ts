/** The scenarios, in Firefox. */
import { launchFirefox } from "./engines/firefox.ts";
import { playIn } from "./play.ts";

playIn("Firefox", launchFirefox);
