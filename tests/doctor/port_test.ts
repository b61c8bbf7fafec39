import { assertEquals } from "@std/assert";
import { tryPorts } from "../../src/doctor/port.ts";
import { AbsentError } from "../../src/errors.ts";
import { type Inquiry, Refusal } from "../../src/platform/inquiry.ts";
import type { SocketOptions } from "../../src/platform/platform.ts";
import { remoteOf } from "../../src/remote.ts";

const LINK: SocketOptions = { name: "dsl", family: 4, port: 4000 };
const SERVER = remoteOf(Uint8Array.of(192, 0, 2, 1), 5080);

/** What is found where the server's port and others do this. */
async function found(own: string, others: string): Promise<unknown> {
  const open: Parameters<typeof tryPorts>[0]["openInquiry"] = (options, remote): Inquiry => {
    assertEquals(options.port, undefined, "the link has that port itself");
    const code = remote.port === 5080 ? own : others;
    return {
      write: () => true,
      read(): Uint8Array | undefined {
        if (code.startsWith("E")) throw new Refusal(code);
        return code === "answer" ? Uint8Array.of(1) : undefined;
      },
      close: () => {},
    };
  };
  return await tryPorts({ openInquiry: open }, LINK, SERVER);
}

Deno.test("tryPorts() tells what the network says from silence", async () => {
  const expected = [
    ["ECONNREFUSED", "", { port: "closed", closedPort: "silent" }],
    ["", "ECONNREFUSED", { port: "silent", closedPort: "closed" }],
    ["EHOSTUNREACH", "ENETUNREACH", { port: "unreachable", closedPort: "unreachable" }],
    ["EPERM", "EACCES", { port: "denied", closedPort: "denied" }],
    ["answer", "", { port: "answered", closedPort: "silent" }],
  ] as const;
  const all = await Promise.all(expected.map(([own, others]) => found(own, others)));
  assertEquals(all, expected.map(([, , result]) => result));
});

Deno.test("tryPorts() finds nothing where no socket can be opened", async () => {
  const openInquiry = (): never => {
    throw new AbsentError("No such device");
  };
  assertEquals(await tryPorts({ openInquiry }, LINK, SERVER), {});
});
