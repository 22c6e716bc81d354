/** Plays the scenarios in WebKit. */
import { launchWebKit } from "./engines/webkit.ts";
import { playIn } from "./play.ts";

playIn("WebKit", launchWebKit);
