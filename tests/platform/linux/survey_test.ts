import { assertEquals } from "@std/assert";
import { parseAddress } from "../../../src/address.ts";
import { survey } from "../../../src/platform/linux/survey.ts";

Deno.test("survey() lists what is in use, and interfaces that lead to the internet", () => {
  const outputs: Readonly<Record<string, string>> = {
    "ip -o address show": "2: eth0    inet 192.0.2.1/24 brd 192.0.2.255 scope global eth0\\\n",
    "ip -4 route show table all": "default via 192.0.2.254 dev eth0\n10.9.0.0/16 dev eth1\n",
  };
  const common = { addresses: [], isRunning: true };
  const found = survey(
    (command) => ({ success: true, output: outputs[command.join(" ")] ?? "" }),
    [
      { ...common, name: "lo", defaults: [] },
      {
        ...common,
        name: "eth0",
        defaults: [{ family: 4, metric: 0, gateway: parseAddress("192.0.2.254")! }],
      },
      { ...common, name: "ppp0", defaults: [{ family: 4, metric: 0 }] },
      { ...common, name: "eth9", isRunning: false, defaults: [{ family: 4, metric: 0 }] },
    ],
  );
  assertEquals(found.interfaces, ["lo", "eth0", "ppp0", "eth9"]);
  assertEquals(found.addresses.map(({ address }) => `${address}`), ["192.0.2.1/24"]);
  assertEquals(found.routes.map(String), ["0.0.0.0/0", "10.9.0.0/16"]);
  assertEquals(found.uplinks.map(({ interface: name, gateway }) => `${name} ${gateway}`), [
    "eth0 192.0.2.254",
    "ppp0 undefined",
  ]);
});
