/**
 * A browser without a screen: Debian's chromium, driven by puppeteer.
 *
 * @module
 */

import puppeteer, { type Browser } from "puppeteer-core";

/** Where Debian puts it. */
const CHROMIUM = "/usr/bin/chromium";

/** Starts a browser with a profile of its own. */
export async function openBrowser(): Promise<Browser> {
  return await puppeteer.launch({
    executablePath: CHROMIUM,
    // Root may not use its sandbox, and there is no other site than ours.
    args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
  });
}
