import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { planService, type ServicePlan } from "../../../src/cli/setup/service_plan.ts";

const BOTH = { start: true, enable: true };
const SYSTEMD = ["/run/systemd/system", "/usr/local/bin/aggvpn"];
const UNIT = "/usr/lib/systemd/system/aggvpn@.service";

function plan(
  file: string,
  os: string,
  there: readonly string[],
  nat = false,
  wish = BOTH,
): ServicePlan {
  const result = planService(file, nat, wish, { os, exists: (path) => there.includes(path) });
  assert("plan" in result, JSON.stringify(result));
  return result.plan;
}

function why(file: string, there: readonly string[]): string {
  const exists = (path: string): boolean => there.includes(path);
  const result = planService(file, false, BOTH, { os: "linux", exists });
  return "why" in result ? result.why : "";
}

Deno.test("planService has systemd run the unit that is there", () => {
  const { files, commands } = plan("/etc/aggvpn/client.toml", "linux", [...SYSTEMD, UNIT]);
  assertEquals([files, commands], [[], [["systemctl", "enable", "--now", "aggvpn@client"]]]);
});

Deno.test("planService installs the unit, for the program where it is", () => {
  const there = ["/run/systemd/system", "/usr/bin/aggvpn"];
  const { files: [unit], commands } = plan("/etc/aggvpn/a.toml", "linux", there);
  assertEquals(unit!.path, "/etc/systemd/system/aggvpn@.service");
  assertStringIncludes(unit!.text, "ExecStart=/usr/bin/aggvpn up /etc/aggvpn/%i.toml");
  assertEquals(commands[0], ["systemctl", "daemon-reload"]);
});

Deno.test("planService lets a server with nat switch forwarding on, once", () => {
  const dropIn = "/etc/systemd/system/aggvpn@server.service.d/forwarding.conf";
  const there = [...SYSTEMD, UNIT];
  const { files, commands } = plan("/etc/aggvpn/server.toml", "linux", there, true);
  assertEquals(files.map(({ path }) => path), [dropIn]);
  assertEquals(commands.length, 2);
  assertEquals(plan("/etc/aggvpn/server.toml", "linux", [...there, dropIn], true).files, []);
});

Deno.test("planService does only what is wished", () => {
  const there = [...SYSTEMD, UNIT];
  const only = (wish: typeof BOTH): string[] =>
    plan("/etc/aggvpn/a.toml", "linux", there, false, wish).commands.map((line) => line.join(" "));
  assertEquals(only({ start: true, enable: false }), ["systemctl start aggvpn@a"]);
  assertEquals(only({ start: false, enable: true }), ["systemctl enable aggvpn@a"]);
});

Deno.test("planService says why there is no service", () => {
  assertStringIncludes(why("/etc/aggvpn/a.toml", []), "there is no /usr/local/bin/aggvpn");
  assertEquals(why("/etc/aggvpn/a.toml", ["/usr/bin/aggvpn"]), "systemd does not run here");
  for (const file of ["/root/a.toml", "/etc/aggvpn/a.conf", "/etc/aggvpn/a b.toml"]) {
    assertStringIncludes(why(file, SYSTEMD), "files of /etc/aggvpn/");
  }
});

Deno.test("planService has rc.d of OpenBSD run it, with the file as its flags", () => {
  const { files, commands } = plan("/etc/aggvpn/server.toml", "openbsd", SYSTEMD.slice(1));
  assertEquals(files.map(({ path, mode }) => [path, mode]), [["/etc/rc.d/aggvpn", 0o555]]);
  assertEquals(commands.map((line) => line.join(" ")), [
    "rcctl enable aggvpn",
    "rcctl set aggvpn flags up /etc/aggvpn/server.toml",
    "rcctl start aggvpn",
  ]);
  const there = ["/usr/local/bin/aggvpn", "/etc/rc.d/aggvpn"];
  assertEquals(plan("/x", "openbsd", there).files, []);
});
