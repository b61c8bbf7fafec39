import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { parseAddress, parsePrefix } from "../../src/address.ts";
import {
  formatInvitation,
  type Invitation,
  missingDigits,
  parseInvitation,
} from "../../src/setup/invitation.ts";

const INVITATION: Invitation = {
  name: "home",
  key: new Uint8Array(32).fill(7),
  servers: [{ host: parseAddress("192.0.2.1")!, port: 5080 }],
  families: [
    { address: parsePrefix("10.87.12.2/24")!, gateway: parseAddress("10.87.12.1")! },
    { address: parsePrefix("fd00:44:1::2/64")!, gateway: parseAddress("fd00:44:1::1")! },
  ],
};
const TEXT = formatInvitation(INVITATION);

/** What is said about a text that is wrong. */
function errorOf(text: string): string {
  const result = parseInvitation(text);
  assert("error" in result, text);
  return result.error;
}

Deno.test("a join string is short, and one word of letters and digits", () => {
  assertMatch(TEXT, /^AGGJOIN1[0-9A-Z]+$/);
  assertEquals(TEXT.length, 141);
  assertEquals(parseInvitation(TEXT), { invitation: INVITATION });
});

Deno.test("a join string survives case, line breaks, spaces, quotes and hyphens", () => {
  const broken = TEXT.toLowerCase().replaceAll(/.{20}/g, "$&\r\n  ");
  assertEquals(parseInvitation(`"${broken}"\n`), { invitation: INVITATION });
  assertEquals(parseInvitation(TEXT.replaceAll(/.{8}/g, "$&-")), { invitation: INVITATION });
});

Deno.test("formatInvitation and parseInvitation agree on every invitation", () => {
  const address = fc.constantFrom("192.0.2.1", "2001:db8::1", "198.51.100.255");
  const host = fc.oneof(
    address.map((text) => parseAddress(text)!),
    fc.constantFrom("vpn.example.net", "a", "x-1.example"),
  );
  const four = fc.integer({ min: 1, max: 30 }).map((length) => ({
    address: parsePrefix(`10.87.12.2/${length}`)!,
    gateway: parseAddress("10.87.12.1")!,
  }));
  const six = fc.integer({ min: 1, max: 126 }).map((length) => ({
    address: parsePrefix(`fd00:44:1::2/${length}`)!,
    gateway: parseAddress("fd00:44:1::1")!,
  }));
  const invitation = fc.record({
    name: fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/),
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    servers: fc.array(fc.record({ host, port: fc.integer({ min: 1, max: 65535 }) }), {
      minLength: 1,
      maxLength: 8,
    }),
    families: fc.oneof(fc.tuple(four), fc.tuple(six), fc.tuple(four, six)),
  });
  fc.assert(fc.property(invitation, (invitation) => {
    assertEquals(parseInvitation(formatInvitation(invitation)), { invitation });
  }));
});

Deno.test("parseInvitation refuses every truncation, and says how much is missing", () => {
  for (let length = 0; length < TEXT.length; length++) errorOf(TEXT.slice(0, length));
  assertEquals(
    errorOf(TEXT.slice(0, -10)),
    "the join string ends too early: 10 of 133 characters are missing",
  );
  assertEquals(errorOf(TEXT.slice(0, 5)), "the join string ends too early");
  assertEquals(errorOf(" \n"), "the join string is empty");
  assertEquals(errorOf(TEXT + TEXT.slice(-1)).includes("goes on after its end"), true);
});

Deno.test("parseInvitation refuses every mistyped character", () => {
  for (let at = 0; at < TEXT.length; at++) {
    for (const letter of "0A7ZU*") {
      const typed = TEXT.slice(0, at) + letter + TEXT.slice(at + 1);
      if (typed !== TEXT) errorOf(typed);
    }
  }
  assertEquals(
    errorOf(TEXT.slice(0, 30) + "Q" + TEXT.slice(31)),
    "a character of the join string is wrong",
  );
  assertEquals(
    errorOf(TEXT.slice(0, 30) + "U" + TEXT.slice(31)),
    'the join string contains a character "U" that none has',
  );
});

Deno.test("parseInvitation knows a key, another version, and what is neither", () => {
  assertEquals(
    errorOf(`aggvpn1:${"A".repeat(43)}=`),
    "this is a key, not a join string",
  );
  assertEquals(
    errorOf(TEXT.replace("AGGJOIN1", "AGGJOIN2")),
    "the join string is of version 2, this program knows version 1",
  );
  assertEquals(errorOf("hello"), "this is no join string, which begins with AGGJOIN");
});

Deno.test("parseInvitation never throws, and repeats nothing of what it was given", () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => {
    for (const whole of [text, `AGGJOIN1${text}`]) {
      const result = parseInvitation(whole);
      if ("error" in result && text.length > 40) assert(!result.error.includes(text));
    }
  }));
});

Deno.test("missingDigits counts what is missing, once the length is known", () => {
  assertEquals(missingDigits(TEXT), 0);
  assertEquals(missingDigits(TEXT.slice(0, -3)), 3);
  assertEquals(missingDigits(TEXT.slice(0, 9)), undefined);
});
