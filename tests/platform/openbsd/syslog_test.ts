import { assertEquals } from "@std/assert";
import { openSyslog } from "../../../src/platform/openbsd/syslog.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";

Deno.test("openSyslog() sends by sendsyslog(2), also after pledge(2), and tells what was not taken", () => {
  const libc = new FakeLibc(new FakeWorld().host());
  const syslog = openSyslog(libc);
  libc.sandbox.pledge("stdio error");
  assertEquals(syslog.send(new TextEncoder().encode("<30>aggvpn[1]: up")), true);
  libc.hasSyslogd = false;
  assertEquals(syslog.send(new TextEncoder().encode("<30>aggvpn[1]: down")), false);
  assertEquals([libc.calls, libc.refused, syslog.wantsTime], [
    [
      'sendsyslog("<30>aggvpn[1]: up", 17, 0) = 0',
      'sendsyslog("<30>aggvpn[1]: down", 19, 0) = -1 ENOTCONN',
    ],
    [],
    false,
  ]);
});
