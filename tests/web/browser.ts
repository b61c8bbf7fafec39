/**
 * A browser without a screen: Debian's chromium, driven by puppeteer.
 *
 * @module
 */

import puppeteer, { type Browser } from "puppeteer-core";

/** Where Debian puts it. */
const CHROMIUM = "/usr/bin/chromium";
/** Root may not use its sandbox, and no site is asked but ours. */
const ARGUMENTS: readonly string[] = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--hide-scrollbars",
  "--no-first-run",
  "--disable-background-networking",
];

/** Starts a browser with a profile of its own. */
export async function openBrowser(): Promise<Browser> {
  return await puppeteer.launch({ executablePath: CHROMIUM, args: [...ARGUMENTS] });
}

/** The same in a network namespace, from which a pipe leads here. */
export async function openBrowserIn(namespace: string): Promise<Browser> {
  return await puppeteer.launch({
    executablePath: "/usr/bin/env",
    ignoreDefaultArgs: true,
    pipe: true,
    args: ["ip", "netns", "exec", namespace, CHROMIUM, ...ARGUMENTS, "about:blank"],
  });
}
