import { assertEquals } from "@std/assert";
import { interfaceMtu } from "../../../src/platform/linux/interfaces.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { LINUX } from "../../../src/platform/linux/platform.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

Deno.test({
  ...networkTest("interfaceMtu() is that of this network's interface, up or down"),
  fn: () =>
    inNewNetwork(() => {
      ip("link add eth0 type veth peer name eth1");
      ip("link set dev eth0 mtu 1492");
      ip("link set dev eth1 mtu 9000 up");
      const names = ["eth0", "eth1", "lo", "eth2", "", "x".repeat(20)];
      const mtus = names.map((name) => interfaceMtu(openLibc(), name));
      assertEquals(mtus, [1492, 9000, 65536, undefined, undefined, undefined]);
      const link = { name: "dsl", family: 4 } as const;
      assertEquals(LINUX.interfaceMtu({ ...link, interface: "eth0" }), 1492);
      assertEquals(LINUX.interfaceMtu(link), undefined);
    }),
});
