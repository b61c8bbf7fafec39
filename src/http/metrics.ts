/**
 * Metrics for Prometheus: `GET /metrics`.
 *
 * @module
 */

import { CONTENT_TYPES, exposition, negotiate } from "../control/exposition.ts";
import { metricFamilies } from "../control/metric_families.ts";
import type { StatusDocument } from "../control/protocol.ts";
import { type Names, namesThisHost } from "./origin.ts";
import { plain } from "./response.ts";
import type { Respond } from "./server.ts";

/** What is asked for. */
const PATH = "/metrics";

/** Answers with the metrics of `status`, which is undefined while the tunnel is set up. */
export function metricsResponder(
  status: () => StatusDocument | undefined,
  names: Names,
): Respond {
  return (request) => {
    if (!namesThisHost(request, names)) {
      return plain(421, "Ask by an address of this host, or as localhost");
    }
    if (request.method === "POST") return plain(405);
    if (request.path !== PATH) return plain(404, `Metrics are at ${PATH}`);
    const current = status();
    if (current === undefined) return plain(503, "The tunnel is still being set up");
    const format = negotiate(request.headers.get("accept"));
    return {
      status: 200,
      headers: { "content-type": CONTENT_TYPES[format], vary: "accept" },
      body: exposition(metricFamilies(current), format),
    };
  };
}
