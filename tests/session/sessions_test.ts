import { assert, assertEquals } from "@std/assert";
import { nobleProvider } from "../../src/crypto/noble.ts";
import type { Session } from "../../src/session/session.ts";
import type { SessionKeys } from "../../src/crypto/handshake.ts";
import { Sessions } from "../../src/session/sessions.ts";
import { Rng } from "../pair/rng.ts";

/** Owners are only keys of maps. */
const [A, B] = ["a", "b"];

function newSessions(fill?: (out: Uint8Array) => void): Sessions<string> {
  const rng = new Rng(1);
  return new Sessions(nobleProvider(), fill ?? ((out): void => rng.fill(out)));
}

function keys(): SessionKeys {
  return {
    sendKey: new Uint8Array(32).fill(1),
    receiveKey: new Uint8Array(32).fill(2),
    handshakeHash: new Uint8Array(32),
    ownSecret: new Uint8Array(32),
  };
}

function open(sessions: Sessions<string>, owner: string, localId: number): Session {
  const cipher = "chacha20poly1305";
  return sessions.open(0, owner, {
    localId,
    remoteId: 9,
    cipher,
    keys: keys(),
    links: 1,
    mtu: 1434,
    features: 0,
  });
}

Deno.test("Sessions.newId() keeps an owner's upper 24 bits and counts in the lower 8", () => {
  const sessions = newSessions();
  const ids = Array.from({ length: 300 }, () => sessions.newId(A));
  assertEquals(new Set(ids.map((id) => id >>> 8)).size, 1);
  assertEquals(ids.map((id) => id & 0xff), ids.map((_, i) => i & 0xff));
  assert(ids[0]! >>> 8 !== sessions.newId(B) >>> 8);
});

Deno.test("Sessions.newId() passes over ids that are in use", () => {
  const sessions = newSessions();
  const first = sessions.newId(A);
  open(sessions, A, first);
  open(sessions, A, first + 2);
  assertEquals(sessions.newId(A), first + 1);
  assertEquals(sessions.newId(A), first + 3);
});

Deno.test("Sessions.newIdOfNewInstance() changes the owner's instance once it is settled", () => {
  const sessions = newSessions();
  const [old, other] = [sessions.newId(A), sessions.newId(B)].map((id) => id >>> 8);
  const [, last] = [sessions.newIdOfNewInstance(A), sessions.newIdOfNewInstance(A)];
  assertEquals(sessions.newId(A) >>> 8, old);
  sessions.settle(A, other! << 8);
  assertEquals(sessions.newId(A) >>> 8, old, "an id that is not its own");
  sessions.settle(A, last!);
  assertEquals(sessions.newId(A), last! + 1);
  assertEquals(sessions.newId(B) >>> 8, other);
});

Deno.test("Sessions.renew() has the owner begin another instance, and nobody else", () => {
  const sessions = newSessions();
  const [old, other] = [sessions.newId(A), sessions.newId(B)].map((id) => id >>> 8);
  sessions.renew(A);
  const fresh = sessions.newId(A) >>> 8;
  assert(![old, other].includes(fresh));
  assertEquals([sessions.newId(A) >>> 8, sessions.newId(B) >>> 8], [fresh, other]);
});

Deno.test("Sessions.newId() gives no two owners one instance, and none instance 0", () => {
  const draws = [0, 0x77, 0x77, 0x78];
  const sessions = newSessions((out) => out.set([0, 0, draws.shift()!, 0]));
  assertEquals(sessions.newId(A) >>> 8, 0x77);
  assertEquals(sessions.newId(B) >>> 8, 0x78);
});

Deno.test("Sessions.open() wipes the keys it was given; find() and remove() use the id", () => {
  const sessions = newSessions();
  const given = keys();
  const parts = {
    localId: 5,
    remoteId: 9,
    cipher: "aes256gcm",
    keys: given,
    links: 3,
    mtu: 1434,
    features: 0,
  } as const;
  const session = sessions.open(7, A, parts);
  assertEquals([...given.sendKey, ...given.receiveKey], new Array(64).fill(0));
  assertEquals(session.receipts.length, 3);
  assertEquals(sessions.find(5), { session, owner: A });
  assertEquals(sessions.find(6), undefined);
  sessions.remove(session);
  sessions.remove(session);
  assertEquals(sessions.find(5), undefined);
});
