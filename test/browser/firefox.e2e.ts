/** Plays the scenarios in Firefox. */
import { launchFirefox } from "./engines/puppeteer.ts";
import { playIn } from "./play.ts";

playIn("Firefox", launchFirefox);
