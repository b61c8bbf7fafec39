import { assert, assertEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { AF_UNIX } from "../../../src/platform/linux/constants.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import {
  monotonicUs,
  openSyslog,
  openUnixDatagrams,
  writeUnixAddress,
} from "../../../src/platform/linux/unix_datagrams.ts";
import { NOT_LINUX } from "./requirements.ts";
import { UnixReceiver } from "./unix_receiver.ts";

const ignore = NOT_LINUX;

Deno.test({
  name: "openUnixDatagrams sends each message whole, to a path and to an abstract name",
  ignore,
  fn(): void {
    const directory = Deno.makeTempDirSync();
    try {
      for (const path of [`${directory}/socket`, `@aggvpn-test-${Deno.pid}`]) {
        using receiver = new UnixReceiver(path);
        const sink = openUnixDatagrams(openLibc(), path);
        assert(sink.send(new TextEncoder().encode("READY=1")));
        assert(sink.send(new TextEncoder().encode("STATUS=two\nlines")));
        assertEquals([receiver.take(), receiver.take()], ["READY=1", "STATUS=two\nlines"]);
        assertEquals(receiver.take(), undefined);
        sink.close();
      }
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: "a sink tells when nobody listens, sends again to who comes later, and never waits",
  ignore,
  fn(): void {
    const directory = Deno.makeTempDirSync();
    const path = `${directory}/socket`;
    try {
      const sink = openUnixDatagrams(openLibc(), path);
      const message = new Uint8Array(1000);
      assertEquals(sink.send(message), false);
      const first = new UnixReceiver(path);
      assertEquals(sink.send(message), true);
      first[Symbol.dispose]();
      assertEquals(sink.send(message), false);
      Deno.removeSync(path);
      using _second = new UnixReceiver(path);
      let taken = 0;
      while (sink.send(message)) taken++;
      assert(taken > 0, "nothing was taken before the queue was full");
      sink.close();
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: "openSyslog sends what syslog(3) would, which has the time",
  ignore,
  fn(): void {
    const path = `@aggvpn-syslog-${Deno.pid}`;
    using receiver = new UnixReceiver(path);
    const syslog = openSyslog(openLibc(), path);
    assert(syslog.wantsTime);
    assert(syslog.send(new TextEncoder().encode("<30>Nov 28 01:02:03 aggvpn[1]: tunnel: up")));
    assertEquals(receiver.take(), "<30>Nov 28 01:02:03 aggvpn[1]: tunnel: up");
    syslog.close();
  },
});

Deno.test("writeUnixAddress refuses what is no address", () => {
  assertEquals([...writeUnixAddress("@a")], [AF_UNIX, 0, 0, 97]);
  assertEquals([...writeUnixAddress("/a")], [AF_UNIX, 0, 47, 97, 0]);
  assertEquals(writeUnixAddress(`@${"x".repeat(107)}`).length, 110);
  for (const path of ["", "relative", `/${"x".repeat(107)}`, `@${"x".repeat(108)}`]) {
    assertThrows(() => writeUnixAddress(path), AggvpnError, "Not the path of a Unix socket");
  }
});

Deno.test({
  name: "monotonicUs never goes back",
  ignore,
  fn(): void {
    const before = monotonicUs(openLibc());
    assert(before > 0 && Number.isSafeInteger(before));
    assert(monotonicUs(openLibc()) >= before);
  },
});
