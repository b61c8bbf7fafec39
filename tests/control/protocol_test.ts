import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseRequest } from "../../src/control/protocol.ts";

Deno.test("parseRequest() reads a request of its version", () => {
  assertEquals(parseRequest('{"version":1,"request":"status","later":true}'), {
    request: "status",
    parameters: { later: true },
  });
});

Deno.test("parseRequest() says what is wrong with a request", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "The request is not JSON"],
    ["status", "The request is not JSON"],
    ["[]", "The request is not a JSON object"],
    ["null", "The request is not a JSON object"],
    ["7", "The request is not a JSON object"],
    ["{}", "Only version 1 is spoken here"],
    ['{"version":2,"request":"status"}', "Only version 1 is spoken here"],
    ['{"version":1}', 'The request has no "request"'],
    ['{"version":1,"request":["status"]}', 'The request has no "request"'],
  ];
  for (const [line, error] of cases) assertEquals(parseRequest(line), { error });
});

Deno.test("parseRequest() never throws", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
    const { request, error } = parseRequest(line);
    assertEquals(typeof (request ?? error), "string");
  }));
});
