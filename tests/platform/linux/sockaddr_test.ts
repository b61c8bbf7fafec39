import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Destination, readSockaddr, writeSockaddr } from "../../../src/platform/linux/sockaddr.ts";
import { Remote, REMOTE_BYTES, remoteOf } from "../../../src/remote.ts";
import { NOT_LINUX } from "./requirements.ts";

const IPV6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

function record(remote: Remote, local: Uint8Array): Remote {
  const bytes = remote.bytes.slice();
  bytes.set(local, 20);
  return new Remote(bytes);
}

Deno.test("writeSockaddr() lays out sockaddr_in: ip(7)", () => {
  assertEquals(
    writeSockaddr(remoteOf(Uint8Array.of(192, 0, 2, 1), 0x1234)).toHex(),
    "02001234c00002010000000000000000",
  );
});

Deno.test("writeSockaddr() lays out sockaddr_in6: ipv6(7)", () => {
  assertEquals(
    writeSockaddr(remoteOf(IPV6, 0x1234, 0x01020304)).toHex(),
    "0a0012340000000020010db800000000000000000000000104030201",
  );
});

Deno.test("readSockaddr() reads what writeSockaddr() wrote, over anything", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  const port = fc.integer({ min: 0, max: 65535 });
  const scope = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(fc.property(address, port, scope, (bytes, number, zone) => {
    const remote = remoteOf(bytes, number, bytes.length === 16 ? zone : 0);
    const records = new Uint8Array(2 * REMOTE_BYTES).fill(0xee);
    const sockaddr = writeSockaddr(remote);
    readSockaddr(sockaddr, 0, sockaddr, -1, records, REMOTE_BYTES);
    assertEquals(remote.equals(records, REMOTE_BYTES), true);
    assertEquals(records.subarray(0, REMOTE_BYTES).every((byte) => byte === 0xee), true);
  }));
});

Deno.test("readSockaddr() takes the local address from where it is told", () => {
  const records = new Uint8Array(REMOTE_BYTES);
  const control = Uint8Array.of(9, 9, 192, 0, 2, 7);
  const sockaddr = writeSockaddr(remoteOf(Uint8Array.of(192, 0, 2, 1), 1));
  readSockaddr(sockaddr, 0, control, 2, records, 0);
  assertEquals([...records.subarray(20, 25)], [192, 0, 2, 7, 0]);
});

Deno.test({
  name: "Destination has no control message when the system chooses the source",
  ignore: NOT_LINUX,
  fn(): void {
    const destination = new Destination(remoteOf(IPV6, 1));
    assertEquals([destination.nameBytes, destination.control.length], [28, 0]);
  },
});

Deno.test({
  name: "Destination lays out IP_PKTINFO with the source in ipi_spec_dst: ip(7), cmsg(3)",
  ignore: NOT_LINUX,
  fn(): void {
    const local = Uint8Array.of(192, 0, 2, 9);
    const to = record(remoteOf(Uint8Array.of(192, 0, 2, 1), 1), local);
    assertEquals(
      controlOf(to),
      "1c00000000000000" + "00000000" + "08000000" + "00000000c000020900000000" + "00000000",
    );
  },
});

Deno.test({
  name: "Destination lays out IPV6_PKTINFO, with an interface only for a link-local source",
  ignore: NOT_LINUX,
  fn(): void {
    const header = "2400000000000000" + "29000000" + "32000000";
    const globalSource = record(remoteOf(IPV6, 1, 7), IPV6);
    assertEquals(controlOf(globalSource), `${header}${IPV6.toHex()}0000000000000000`);
    const linkLocal = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
    const scoped = record(remoteOf(IPV6, 1, 7), linkLocal);
    assertEquals(controlOf(scoped), `${header}${linkLocal.toHex()}0700000000000000`);
  },
});

/** The control message that sets the source address of what goes to `remote`, in hex. */
function controlOf(remote: Remote): string {
  return new Uint8Array(new Destination(remote).control.buffer).toHex();
}
