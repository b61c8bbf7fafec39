import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Inquiry, type InquiryKind, Refusal } from "../../../src/platform/inquiry.ts";
import { LINUX } from "../../../src/platform/linux/platform.ts";
import { remoteOf } from "../../../src/remote.ts";

const IGNORE = Deno.build.os !== "linux";

function ask(port: number, kind: InquiryKind): Inquiry {
  const link = { name: "test", family: 4 } as const;
  return LINUX.openInquiry(link, remoteOf(Uint8Array.of(127, 0, 0, 1), port), kind);
}

/** Waits in real time for what a call gives that gave nothing yet. */
async function eventually<T>(call: () => T | undefined | false): Promise<T> {
  for (;;) {
    const result = call();
    if (result !== undefined && result !== false) return result;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test({
  name: "an inquiry by UDP hears of a closed port",
  ignore: IGNORE,
  // The C library, which the first call opens, stays open.
  sanitizeResources: false,
  async fn(): Promise<void> {
    // A port that was free a moment ago.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const inquiry = ask(port, "udp");
    assertEquals(inquiry.write(Uint8Array.of(0)), true);
    const refusal = await eventually(() => {
      try {
        inquiry.read();
        return undefined;
      } catch (error) {
        return error;
      }
    });
    assert(refusal instanceof Refusal);
    assertEquals(refusal.code, "ECONNREFUSED");
    assertThrows(() => inquiry.write(Uint8Array.of(0)), Refusal);
    inquiry.close();
  },
});

Deno.test({
  name: "an inquiry by TCP asks and is answered",
  ignore: IGNORE,
  async fn(): Promise<void> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const inquiry = ask(listener.addr.port, "tcp");
    using connection = await listener.accept();
    await eventually(() => inquiry.write(Uint8Array.of(1, 2)));
    const asked = new Uint8Array(8);
    assertEquals(await connection.read(asked), 2);
    assertEquals(inquiry.read(), undefined);
    await connection.write(Uint8Array.of(3));
    assertEquals(await eventually(() => inquiry.read()), Uint8Array.of(3));
    inquiry.close();
    listener.close();
  },
});

Deno.test({
  name: "clockState() knows one of both",
  ignore: IGNORE,
  async fn(): Promise<void> {
    assert(["synchronized", "free"].includes(await LINUX.clockState() ?? ""));
  },
});
