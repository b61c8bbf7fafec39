/**
 * Kinds of other texts: names, paths, commands, DSCP, secrets.
 *
 * @module
 */

import { isName } from "../name.ts";
import { expected, expectedSecretly, type Kind, text } from "./kind.ts";

export { isName };

/** Longest path of a Unix socket, in bytes: sun_path has 104 on OpenBSD and ends with a zero. */
const MAX_SOCKET_PATH_BYTES = 103;

/** What {@linkcode isName} accepts, in words. */
export const NAME_RULE = "a name of 1 to 32 letters, digits, dashes and underscores";

/** The name of a tunnel or a link. */
export const name: Kind<string> = text(
  "NAME",
  NAME_RULE,
  (text) => isName(text) ? text : undefined,
);

/** An absolute path. */
export const path: Kind<string> = text(
  "PATH",
  'an absolute path such as "/etc/aggvpn/status"',
  (text) => isPath(text) && text.startsWith("/") ? text : undefined,
);

/** The path of a file; a relative one starts at the configuration's directory. */
export const file: Kind<string> = text(
  "FILE",
  'the path of a file, such as "/etc/aggvpn/secret"',
  (text) => isPath(text) ? text : undefined,
);

/** The path of a Unix socket. */
export const socketPath: Kind<string> = text(
  "PATH",
  `an absolute path of at most ${MAX_SOCKET_PATH_BYTES} bytes, such as "/var/run/aggvpn/home.sock"`,
  (text) => {
    const bytes = new TextEncoder().encode(text).length;
    return isPath(text) && text.startsWith("/") && bytes <= MAX_SOCKET_PATH_BYTES
      ? text
      : undefined;
  },
);

/** A command line for the shell. */
export const command: Kind<string> = text(
  "COMMAND",
  'a shell command such as "/etc/aggvpn/up.sh"',
  (text) => text.trim() !== "" && !text.includes("\0") ? text : undefined,
);

/** A DSCP, by number or by name (RFC 2474, RFC 2597, RFC 3246). */
export const dscp: Kind<number> = {
  metavar: "DSCP",
  read: (value, field) => {
    if (value.kind === "integer" && value.value >= 0 && value.value <= 63) return value.value;
    const named = value.kind === "string" ? parseDscp(value.value) : undefined;
    return named ??
      expected(value, field, 'a DSCP from 0 to 63, or a name such as "EF", "AF41" or "CS5"');
  },
};

function parseDscp(text: string): number | undefined {
  if (text === "EF") return 46;
  const selector = /^CS([0-7])$/.exec(text);
  if (selector) return 8 * Number(selector[1]);
  const assured = /^AF([1-4])([1-3])$/.exec(text);
  return assured ? 8 * Number(assured[1]) + 2 * Number(assured[2]) : undefined;
}

/** A secret; its text is never shown. */
export const secretText: Kind<string> = {
  metavar: "SECRET",
  read: (value, field) =>
    value.kind === "string"
      ? value.value
      : expectedSecretly(value, field, "a key of `aggvpn genkey` or a pass phrase, in quotes"),
};

function isPath(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return text !== "" && !/[\0-\x1f\x7f]/.test(text) && text.length < 1024;
}
