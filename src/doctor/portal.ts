/**
 * Is there a captive portal on the way? A page that is known to answer 204 is asked for by the way of
 * one link: whoever answers anything else is not its server.
 *
 * This is HTTP in clear to somebody whom the user has named: nothing is asked for otherwise, and the
 * request says no more than its address.
 *
 * @module
 */

import { type Address, parseAddress } from "../address.ts";
import { AggvpnError } from "../errors.ts";
import { type Inquiry, Refusal } from "../platform/inquiry.ts";
import type { Platform, SocketOptions } from "../platform/platform.ts";
import { remoteOf } from "../remote.ts";
import type { PortalState } from "./facts.ts";
import { withoutPort } from "./port.ts";

/** How long to wait in all, and how often to look, in milliseconds. */
const WAIT_MS = 5_000;
const LOOK_MS = 20;

/** Reads the address of a page. Throws AggvpnError: only `http` shows a portal. */
export function parsePortalUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === "http:" && url.hostname !== "") return url;
  throw new AggvpnError(`Cannot ask for "${text}"`, {
    hint: "Name a page that answers 204, such as http://example.net/generate_204: a portal " +
      "cannot answer for https",
  });
}

/** Asks for the page by the way of a link. */
export async function askPortal(
  platform: Pick<Platform, "openInquiry" | "lookup">,
  link: SocketOptions,
  url: URL,
): Promise<PortalState> {
  try {
    const address = await addressOf(platform, link, url.hostname);
    const remote = remoteOf(address.bytes, Number(url.port || 80));
    const inquiry = platform.openInquiry(withoutPort(link), remote, "tcp");
    try {
      return judgeAnswer(await fetchHead(inquiry, requestOf(url)), url.hostname);
    } finally {
      inquiry.close();
    }
  } catch (error) {
    if (error instanceof Refusal) {
      return { state: "unknown", problem: `${url.host}: ${error.code}` };
    }
    if (error instanceof AggvpnError) return { state: "unknown", problem: error.message };
    throw error;
  }
}

/** Says who has answered, of the first lines of an answer; undefined: nobody has. */
export function judgeAnswer(head: string | undefined, host: string): PortalState {
  if (head === undefined) return { state: "unknown", problem: `${host} does not answer` };
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(head) ?? [];
  if (status === "204") return { state: "open" };
  if (status === undefined) return { state: "captured", by: "something that is no web server" };
  const [, target] = /^location:[ \t]*(\S+)/im.exec(head) ?? [];
  // Text of whoever sits there goes to a terminal.
  const where = target?.replace(/[^\x21-\x7e]/g, "").slice(0, 200);
  return { state: "captured", by: where ? `${status}, ${where}` : status };
}

async function addressOf(
  platform: Pick<Platform, "lookup">,
  link: SocketOptions,
  host: string,
): Promise<Address> {
  const literal = parseAddress(host.replace(/^\[|\]$/g, ""));
  const all = literal ? [literal] : await platform.lookup(host, link);
  const usable = all.find(({ family }) => family === link.family);
  if (usable) return usable;
  throw new AggvpnError(`${host} has no IPv${link.family} address`);
}

function requestOf(url: URL): Uint8Array {
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    "Connection: close",
    "",
    "",
  ];
  return new TextEncoder().encode(lines.join("\r\n"));
}

/** Returns the beginning of what comes; undefined when nothing does in time. */
async function fetchHead(inquiry: Inquiry, request: Uint8Array): Promise<string | undefined> {
  let isSent = false;
  let text = "";
  for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (!isSent) {
      isSent = inquiry.write(request);
      continue;
    }
    const bytes = inquiry.read();
    if (bytes === undefined) continue;
    text += new TextDecoder().decode(bytes);
    if (bytes.length === 0 || text.includes("\r\n\r\n")) break;
  }
  return text === "" ? undefined : text;
}
