import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AggvpnError } from "../../src/errors.ts";
import { askPortal, judgeAnswer, parsePortalUrl } from "../../src/doctor/portal.ts";
import { type Inquiry, Refusal } from "../../src/platform/inquiry.ts";
import { address } from "../addresses.ts";

const LINK = { name: "wifi", family: 4 } as const;
const URL_204 = new URL("http://portal.example/generate_204");

/** A network where the page's server does this. */
function network(inquiry: Partial<Inquiry>): Parameters<typeof askPortal>[0] {
  return {
    lookup: () => Promise.resolve([address("2001:db8::1"), address("192.0.2.80")]),
    openInquiry: () => ({ write: () => true, read: () => undefined, close: () => {}, ...inquiry }),
  };
}

Deno.test("judgeAnswer() knows the page from a portal", () => {
  const judged = (head: string | undefined): string =>
    JSON.stringify(judgeAnswer(head, "p.example"));
  assertEquals(judged("HTTP/1.1 204 No Content\r\n\r\n"), '{"state":"open"}');
  assertMatch(
    judged("HTTP/1.0 302 Found\r\nLocation: http://l.example/?a\r\n\r\n"),
    /302, http:\/\/l/,
  );
  assertMatch(judged("HTTP/1.1 200 OK\r\n\r\n<html>"), /"captured","by":"200"/);
  assertMatch(judged("220 mail.example ESMTP\r\n"), /no web server/);
  assertMatch(judged(undefined), /p.example does not answer/);
});

Deno.test("judgeAnswer() lets nothing through that a terminal would act on", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
    const said = judgeAnswer(`HTTP/1.1 302 x\r\nLocation: ${text}\r\n`, "p.example");
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x1f\x7f-\u{10ffff}]/u.test(JSON.stringify(said)), false);
  }));
});

Deno.test("askPortal() asks for the page and no more", async () => {
  let asked = "";
  const read = (): Uint8Array => new TextEncoder().encode("HTTP/1.1 204 No Content\r\n\r\n");
  const write = (bytes: Uint8Array): boolean => {
    asked += new TextDecoder().decode(bytes);
    return true;
  };
  assertEquals(await askPortal(network({ write, read }), LINK, URL_204), { state: "open" });
  assertEquals(
    asked,
    "GET /generate_204 HTTP/1.1\r\nHost: portal.example\r\nConnection: close\r\n\r\n",
  );
});

Deno.test("askPortal() says why nobody could be asked", async () => {
  const refuse = (): never => {
    throw new Refusal("ECONNREFUSED");
  };
  assertEquals(await askPortal(network({ read: refuse }), LINK, URL_204), {
    state: "unknown",
    problem: "portal.example: ECONNREFUSED",
  });
  const six = { ...network({}), lookup: () => Promise.resolve([address("2001:db8::1")]) };
  assertEquals(await askPortal(six, LINK, URL_204), {
    state: "unknown",
    problem: "portal.example has no IPv4 address",
  });
});

Deno.test("parsePortalUrl() takes pages in clear only", () => {
  assertEquals(parsePortalUrl("http://a.example/x?y").host, "a.example");
  for (const text of ["https://a.example/", "a.example", "", "ftp://a.example/", "http://"]) {
    assertThrows(() => parsePortalUrl(text), AggvpnError, "Cannot ask for");
  }
});
