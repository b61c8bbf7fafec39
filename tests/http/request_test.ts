import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseHead } from "../../src/http/request.ts";
import { isCrossSite, type Names, namesThisHost } from "../../src/http/origin.ts";
import { hasToken, newToken } from "../../src/http/token.ts";

function headers(...lines: readonly string[]): ReturnType<typeof parseHead> {
  return parseHead(["GET / HTTP/1.1", ...lines]);
}

Deno.test("parseHead() reads method, path, query and headers", () => {
  const { request } = parseHead([
    "GET /api/live?peer=a%20b&x HTTP/1.1",
    "Host:  localhost:9181 ",
    "Accept: text/plain",
    "ACCEPT: text/html",
  ]);
  assertEquals([request!.method, request!.path, request!.query.get("peer")], [
    "GET",
    "/api/live",
    "a b",
  ]);
  assertEquals([...request!.headers], [
    ["host", "localhost:9181"],
    ["accept", "text/plain, text/html"],
  ]);
  assertEquals(request!.takesChunks, true);
  assertEquals(parseHead(["GET / HTTP/1.0"]).request!.takesChunks, false);
});

Deno.test("parseHead() says by a status what is wrong", () => {
  const cases: [readonly string[], number][] = [
    [[], 400],
    [["GET /"], 400],
    [["GET / HTTP/2.0", "host: a"], 400],
    [["GET http://a/ HTTP/1.1", "host: a"], 400],
    [["GET /a b HTTP/1.1", "host: a"], 400],
    [["get / HTTP/1.1", "host: a"], 400],
    [["GET / HTTP/1.1"], 400],
    [["GET / HTTP/1.1", "host: a", "Host: b"], 400],
    [["GET / HTTP/1.1", "host: a", " folded"], 400],
    [["GET / HTTP/1.1", "host : a"], 400],
    [["GET / HTTP/1.1", "host: a", "authorization: x", "authorization: y"], 400],
    [["OPTIONS / HTTP/1.1", "host: a"], 405],
    [["POST / HTTP/1.1", "host: a", "content-length: 5"], 413],
    [["POST / HTTP/1.1", "host: a", "content-length: x"], 413],
    [["POST / HTTP/1.1", "host: a", "transfer-encoding: chunked"], 413],
  ];
  for (const [lines, status] of cases) {
    assertEquals(parseHead(lines).status, status, lines.join("|"));
  }
});

Deno.test("parseHead() never throws, and a request has a path without control characters", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.tuple(fc.string(), fc.string()).map(([name, value]) => `${name}: ${value}`),
    fc.string().map((target) => `GET /${target} HTTP/1.1`),
    fc.constantFrom("GET / HTTP/1.1", "host: a", "content-length: 0"),
  );
  fc.assert(fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
    const { request, status } = parseHead(lines);
    assert(request ? /^\/[\x21-\x7e]*$/.test(request.path) : status >= 400);
  }));
});

Deno.test("namesThisHost() refuses what a page of another site would be asked by", () => {
  const by = (host: string, names: Names): boolean =>
    namesThisHost(headers(`host: ${host}`).request!, names);
  for (const host of ["localhost", "LocalHost:9181", "127.0.0.1:9181", "127.9.9.9", "[::1]:9181"]) {
    assertEquals([by(host, "loopback"), by(host, "addresses")], [true, true], host);
  }
  for (const host of ["192.0.2.1:9181", "[2001:db8::1]"]) {
    assertEquals([by(host, "loopback"), by(host, "addresses")], [false, true], host);
  }
  const foreign = [
    "evil.example:9181",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "",
    "[::1",
  ];
  for (const host of [...foreign, "::1", "localhost:9181:1", "127.1", "0x7f.0.0.1", "2130706433"]) {
    assertEquals([by(host, "loopback"), by(host, "addresses")], [false, false], host);
    assertEquals(by(host, "any"), true);
  }
});

Deno.test("isCrossSite() goes by what browsers say of a request's origin", () => {
  const from = (...lines: readonly string[]): boolean =>
    isCrossSite(headers("host: localhost:9181", ...lines).request!);
  assertEquals(from(), false);
  assertEquals(from("origin: http://localhost:9181", "sec-fetch-site: same-origin"), false);
  assertEquals(from("sec-fetch-site: none"), false);
  for (const origin of ["null", "http://localhost:9182", "https://localhost:9181", "http://evil"]) {
    assertEquals(from(`origin: ${origin}`), true, origin);
  }
  for (const site of ["cross-site", "same-site"]) {
    assertEquals(from(`sec-fetch-site: ${site}`), true, site);
  }
});

Deno.test("hasToken() wants the whole token and nothing else", () => {
  const token = newToken();
  assertEquals([token.length, token === newToken()], [43, false]);
  const given = (value: string): boolean =>
    hasToken(headers("host: a", `authorization: ${value}`).request!, token);
  assertEquals(given(`Bearer ${token}`), true);
  for (const value of ["", "Bearer", "Bearer ", token, `Basic ${token}`, `Bearer ${token}x`]) {
    assertEquals(given(value), false, value);
  }
  assertEquals(given(`Bearer ${token.slice(1)}`), false);
  assertEquals(hasToken(headers("host: a").request!, token), false);
});
