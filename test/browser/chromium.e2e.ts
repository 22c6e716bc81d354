/** Plays the scenarios in Chromium. */
import { launchChromium } from "./engines/puppeteer.ts";
import { playIn } from "./play.ts";

playIn("Chromium", launchChromium);
