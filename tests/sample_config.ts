/**
 * What configurations of tests have in common.
 *
 * @module
 */

/** A secret whose key consists of one byte. */
export function secretOf(byte: number): { readonly key: Uint8Array<ArrayBuffer> } {
  return { key: new Uint8Array(32).fill(byte) };
}

/** The table of a tunnel, as far as it has to be there. */
export const TUNNEL = {
  routes: [],
  dns: [],
  leakGuard: false,
  nat: false,
  mssClamp: false,
  offload: true,
  schedule: "fast",
  duplicate: "off",
} as const;

/** What both modes have. */
export const COMMON = {
  file: "home.toml",
  name: "home",
  control: "/nonexistent/home.sock",
  logLevel: "info",
  logFormat: "text",
  sandbox: true,
  rules: [],
  tunnel: TUNNEL,
} as const;
