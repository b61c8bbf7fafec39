/**
 * What happened, in words.
 *
 * @module
 */

/** Something that happened, as the tunnel tells it: the fields are those of its type. */
export interface Happening {
  readonly type: string;
  readonly atMs: number;
  readonly [field: string]: unknown;
}

/** Says what happened; undefined when that is of no interest to people. */
export function wordsOf(happening: Happening): string | undefined {
  const field = (name: string): string => textOf(happening[name]);
  const because = (reason: string): string => reason === "" ? "" : `: ${reason}`;
  switch (happening.type) {
    case "session":
      return field("state") === "rekeyed"
        ? undefined
        : `Session with ${field("peer")} is ${field("state")}${because(field("reason"))}`;
    case "link":
      return `Link ${field("link")} of ${field("peer")} is ${field("state")}${
        because(field("reason"))
      }`;
    case "server":
      return `Server ${field("reason")}: using ${field("server")}`;
    case "roamed":
      return `Link ${field("link")} of ${field("peer")} comes from ${field("remote")}`;
    case "conflict":
      return `Another host uses the key of ${field("peer")}: ${field("hosts")}`;
    case "handshake-failed":
      return `Handshake with ${field("remote")} failed: ${field("reason")}`;
    case "mtu":
      return `The links of ${field("peer")} carry packets of ${field("mtu")} bytes`;
    case "quota":
      return `Link ${field("link")}: ${field("reason")}`;
    case "changed":
      return field("message");
    case "missed":
      return `${field("count")} events are not shown`;
    default:
      return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? `${value}` : "";
}
