/**
 * The head of an HTTP request (RFC 9112), as far as is understood here: requests without a body.
 *
 * @module
 */

/** Methods that are understood. */
export type Method = "GET" | "HEAD" | "POST";

/** A request. */
export interface HttpRequest {
  readonly method: Method;
  /** Without the query; percent escapes as they came. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Values by names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Whether its sender understands a body in chunks: HTTP/1.1. */
  readonly takesChunks: boolean;
}

/** A request, or the status code that answers what is none. */
export type ParsedHead =
  | { readonly request: HttpRequest; readonly status?: undefined }
  | { readonly request?: undefined; readonly status: number };

const METHODS: readonly string[] = ["GET", "HEAD", "POST"] satisfies Method[];
/** Header fields of which two would be a trick. */
const SINGLE: readonly string[] = ["host", "authorization", "content-length", "origin"];

/** Reads the lines of a head, without their line ends and the empty line. Never throws. */
export function parseHead(lines: readonly string[]): ParsedHead {
  const [, method, target, minor] =
    /^([A-Z]{1,20}) (\/[\x21-\x7e]*) HTTP\/1\.([01])$/.exec(lines[0] ?? "") ?? [];
  if (method === undefined) return { status: 400 };
  const headers = parseHeaders(lines.slice(1));
  if (headers === undefined || minor === "1" && !headers.has("host")) return { status: 400 };
  if (!isMethod(method)) return { status: 405 };
  if (headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) !== 0) {
    return { status: 413 };
  }
  const [path, query] = splitOnce(target!, "?");
  const takesChunks = minor === "1";
  return { request: { method, path, query: new URLSearchParams(query), headers, takesChunks } };
}

function parseHeaders(lines: readonly string[]): Map<string, string> | undefined {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) return undefined;
    const key = name.toLowerCase();
    const earlier = headers.get(key);
    if (earlier !== undefined && SINGLE.includes(key)) return undefined;
    headers.set(key, earlier === undefined ? value! : `${earlier}, ${value}`);
  }
  return headers;
}

function isMethod(text: string): text is Method {
  return METHODS.includes(text);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
