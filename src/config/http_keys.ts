/**
 * What is served by HTTP: metrics and the dashboard.
 *
 * @module
 */

import { compact } from "./compact.ts";
import type { DashboardConfig, ListenConfig } from "./config.ts";
import { formatHostPort } from "./host_port.ts";
import type { ReadSecretFile } from "./read_secret.ts";
import type { Reading } from "./read_table.ts";
import type { Report } from "./report.ts";
import type { TOP_KEYS } from "./schema.ts";
import { quote } from "./tree.ts";

/** Shorter tokens are refused: who guesses may try as often as they like. */
const MIN_TOKEN_LENGTH = 20;
const TOKEN_HINT = "make one with: (umask 077 && aggvpn genkey > FILE)";

type TopReading = Reading<typeof TOP_KEYS>;

/** What {@linkcode readHttp} returns. */
export interface HttpConfig {
  readonly metrics?: ListenConfig;
  readonly dashboard?: DashboardConfig;
}

/** Returns what is served; warns of what others can reach. */
export function readHttp(
  top: TopReading,
  report: Report,
  readFile: ReadSecretFile,
): HttpConfig {
  const { metrics, dashboard } = top.values;
  warnOfOthers(top, "metrics", "without a password", report);
  warnOfOthers(top, "dashboard", "and read the token on its way", report);
  if (metrics && dashboard && formatHostPort(metrics) === formatHostPort(dashboard)) {
    const message = "dashboard: expected another port than that of metrics";
    report.error(top.placeOf("dashboard"), message, `write ${otherPort(metrics.port)}`);
  }
  return compact({ metrics, dashboard: dashboardConfig(top, report, readFile) });
}

function otherPort(port: number): number {
  return port < 65535 ? port + 1 : port - 1;
}

function warnOfOthers(
  top: TopReading,
  key: "metrics" | "dashboard",
  how: string,
  report: Report,
): void {
  const listen = top.values[key];
  if (!listen || listen.host.isLoopback) return;
  const message = `${key}: other hosts can ask ${formatHostPort(listen)}, unencrypted, ${how}`;
  const hint = `write ${listen.port} for this host only, or have a firewall say who may`;
  report.warn(top.placeOf(key), message, hint);
}

function dashboardConfig(
  top: TopReading,
  report: Report,
  readFile: ReadSecretFile,
): DashboardConfig | undefined {
  const { dashboard, dashboard_control: control, dashboard_token_file: file } = top.values;
  if (!dashboard) {
    for (const key of ["dashboard_control", "dashboard_token_file"] as const) {
      if (!top.has(key) || top.has("dashboard")) continue;
      report.warn(top.placeOf(key), `${key}: has no effect without dashboard`, "remove it");
    }
    return undefined;
  }
  const token = file === undefined ? undefined : readToken(file, top, report, readFile);
  return compact({ listen: dashboard, control, token });
}

/** No message contains the token. */
function readToken(
  path: string,
  top: TopReading,
  report: Report,
  readFile: ReadSecretFile,
): string | undefined {
  const at = top.placeOf("dashboard_token_file");
  const file = readFile(path);
  if ("error" in file) {
    return void report.error(at, `dashboard_token_file: ${file.error}`, TOKEN_HINT);
  }
  if (file.warning !== undefined) {
    report.warn(at, `dashboard_token_file: ${file.warning}`, file.hint);
  }
  const token = file.text.replace(/\r?\n$/, "");
  if (/^[A-Za-z0-9:+/=_.~-]+$/.test(token) && token.length >= MIN_TOKEN_LENGTH) return token;
  const expected =
    `one line of at least ${MIN_TOKEN_LENGTH} letters, digits and the characters : + / = _ . ~ -`;
  const message = `dashboard_token_file: expected ${expected} in ${quote(path)}`;
  return void report.error(at, message, TOKEN_HINT);
}
