/**
 * Events that the core reports because a test wants it to.
 *
 * @module
 */

import { Endpoint } from "../../src/tunnel/endpoint.ts";
import type { EndpointEvent, EndpointStatus } from "../../src/tunnel/options.ts";

/** Makes the next endpoint of `role` that is asked say `events`, before its own. */
export function coreSays(
  role: EndpointStatus["role"],
  ...events: EndpointEvent[]
): Disposable {
  const { pollEvent } = Endpoint.prototype;
  Endpoint.prototype.pollEvent = function (this: Endpoint): EndpointEvent | undefined {
    const isMeant = events.length > 0 && this.status(0).role === role;
    return isMeant ? events.shift() : pollEvent.call(this);
  };
  return { [Symbol.dispose]: () => void (Endpoint.prototype.pollEvent = pollEvent) };
}
