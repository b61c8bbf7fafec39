/**
 * Whether a request comes from where it may: no page of another site has a say here.
 *
 * A site can make a browser send requests to this host, and by changing the address of its own name
 * (DNS rebinding) it could read the answers. It cannot make the browser hide that name, which is in
 * `Host`: so this host is asked by its address, or as localhost.
 *
 * @module
 */

import { parseAddress } from "../address.ts";
import type { HttpRequest } from "./request.ts";

/** By which names a server may be asked. */
export type Names =
  /** localhost, and addresses of this host alone: also through a forwarded port. */
  | "loopback"
  /** localhost, and any address. */
  | "addresses"
  | "any";

/** Tells whether the request names this host by one of `names`. */
export function namesThisHost({ headers }: HttpRequest, names: Names): boolean {
  if (names === "any") return true;
  const [, bracketed, bare] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+))(?::\d{1,5})?$/.exec(headers.get("host") ?? "") ??
      [];
  if (bare?.toLowerCase() === "localhost") return true;
  const address = parseAddress(bracketed ?? bare ?? "");
  return address !== undefined && (names === "addresses" || address.isLoopback);
}

/** Tells whether a browser says that a page of another origin sent the request. */
export function isCrossSite({ headers }: HttpRequest): boolean {
  const origin = headers.get("origin");
  if (origin !== undefined && origin !== `http://${headers.get("host")}`) return true;
  const site = headers.get("sec-fetch-site");
  return site !== undefined && site !== "same-origin" && site !== "none";
}
