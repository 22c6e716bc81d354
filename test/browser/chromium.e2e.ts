/** The scenarios, in Chromium. */
import { launchChromium } from "./engines/chromium.ts";
import { playIn } from "./play.ts";

playIn("Chromium", launchChromium);
