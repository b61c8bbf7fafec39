/**
 * A web server that answers everything with one status: 204 as a page to find portals by does, or
 * with another one, as a portal does.
 *
 * @module
 */

import { say } from "./socket.ts";

/** Serves until the process ends; redirects lead to a page to log in at. */
export async function portal(address: string, port: number, status: number): Promise<void> {
  const headers = status >= 300 ? { location: "http://login.example/" } : {};
  const server = Deno.serve({
    hostname: address,
    port,
    onListen: () => say({ listening: true }),
  }, () => new Response(null, { status, headers }));
  await server.finished;
}
