import { configure, reset } from "@logtape/logtape";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { cString } from "../../../src/platform/ffi.ts";
import { ERRNO } from "../../../src/platform/openbsd/errno.ts";
import { openPoller } from "../../../src/platform/openbsd/poller.ts";
import { Refusals } from "../../../src/platform/openbsd/refusals.ts";
import { sandbox } from "../../../src/platform/openbsd/sandbox.ts";
import { killGroup } from "../../../src/platform/openbsd/signals.ts";
import { openSocket } from "../../../src/platform/openbsd/socket.ts";
import { openTun } from "../../../src/platform/openbsd/tun.ts";
import { setMtu } from "../../../src/platform/openbsd/tun_mtu.ts";
import type { SandboxNeeds } from "../../../src/platform/platform.ts";
import { address } from "../../addresses.ts";
import { batchOf, receive, remoteAt } from "./batches.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";
import { gateway, goldenTest } from "./golden.ts";

const NOTHING: SandboxNeeds = { programs: [], files: [], directories: [], lookups: [] };

goldenTest(
  "sandbox",
  "sandbox() leaves what a running tunnel does, and nothing else",
  (record, make) => {
    const libc = make(gateway(new FakeWorld()));
    const tun = openTun(libc, "tun0");
    const socket = openSocket(libc, { name: "a", family: 4, rdomain: 1 });
    const poller = openPoller(libc);
    libc.takeCalls();
    sandbox(libc, { ...NOTHING, files: ["/var/run/aggvpn/home.sock"] });
    record.step("no commands, no quotas", libc);
    // Links are opened again, with everything that is set on them.
    socket.close();
    for (const family of [4, 6] as const) {
      const again = openSocket(libc, {
        name: "a",
        family,
        address: address(family === 4 ? "0.0.0.0" : "::"),
        rdomain: 2,
      });
      again.send(batchOf(remoteAt(family === 4 ? "203.0.113.20" : "2001:db8:2::20", 9), [1]), 0);
      receive(again);
      again.close();
    }
    poller.wake();
    poller.close();
    assertEquals(libc.calls.filter((call) => call.includes("ENOSYS")), []);
    assertThrows(() => setMtu(libc, tun, 1400), AggvpnError, "Function not implemented");
    // Only the unveiled "/" covers it, which may only be read.
    assertThrows(() => openTun(libc, "tun1"), AggvpnError, "Permission denied");
    assertEquals(libc.sandbox.refusals, ["TUNGIFINFO: ENOSYS", "open(2) of /dev/tun1: EACCES"]);
    tun.close();
  },
);

Deno.test("sandbox() unveils programs with the interpreters of scripts, and promises proc and exec for them", () => {
  const directory = Deno.makeTempDirSync({ prefix: "aggvpn-sandbox-" });
  try {
    Deno.writeTextFileSync(`${directory}/status`, "#! /bin/ksh -e\necho\n");
    Deno.writeTextFileSync(`${directory}/binary`, "\x7fELF\x00");
    const libc = new FakeLibc(new FakeWorld().host());
    sandbox(libc, {
      programs: [`${directory}/status`, `${directory}/binary`, "/bin/sh", "sh"],
      files: ["/var/run/aggvpn/home.sock"],
      directories: [`${directory}/state`],
      lookups: [],
    });
    const sh = [...libc.sandbox.unveiled.keys()].filter((path) => path.endsWith("/sh"));
    assertEquals(Object.fromEntries(libc.sandbox.unveiled), {
      "/": "r",
      "/dev/null": "rw",
      [`${directory}/state`]: "rwc",
      "/var/run/aggvpn/home.sock": "rwc",
      "/bin/ksh": "rx",
      [`${directory}/status`]: "rx",
      [`${directory}/binary`]: "rx",
      ...Object.fromEntries(sh.map((path) => [path, "rx"])),
    });
    assert(sh.includes("/bin/sh"));
    assert(Deno.statSync(`${directory}/state`).isDirectory, "it is made before it is unveiled");
    assert(libc.sandbox.promises!.has("proc") && libc.sandbox.promises!.has("exec"));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("sandbox() leaves names to look up: by this process, in another table by route(8)", () => {
  const leftFor = (...lookups: SandboxNeeds["lookups"]): string[] => {
    const libc = new FakeLibc(new FakeWorld().host());
    sandbox(libc, { ...NOTHING, lookups });
    const { promises, unveiled } = libc.sandbox;
    const programs = unveiled.get("/sbin/route") === "rx" ? ["route"] : [];
    return [...["dns", "proc", "exec"].filter((promise) => promises!.has(promise)), ...programs];
  };
  assertEquals(leftFor(), []);
  assertEquals(leftFor({}, { rdomain: 0 }), ["dns"]);
  assertEquals(leftFor({ rdomain: 1 }), ["proc", "exec", "route"]);
  assertEquals(leftFor({ rdomain: 1 }, {}), ["dns", "proc", "exec", "route"]);
});

Deno.test("sandbox() says how to do without when the kernel or the host refuses", () => {
  for (const name of ["unveil", "pledge"] as const) {
    const libc = new FakeLibc(new FakeWorld().host());
    Object.assign(libc.symbols, { [name]: () => -1 });
    Object.assign(libc, { errno: () => 22 });
    const error = assertThrows(() => sandbox(libc, NOTHING), AggvpnError, "Invalid argument");
    assertStringIncludes(error.hint!, "sandbox = false");
  }
  const libc = new FakeLibc(new FakeWorld().host());
  const needs = { ...NOTHING, programs: ["no-such-program"] };
  assertThrows(() => sandbox(libc, needs), AggvpnError, `Cannot find "no-such-program"`);
});

Deno.test("what pledge(2) refuses is told once for each call, and the tunnel goes on", () => {
  const libc = new FakeLibc(gateway(new FakeWorld()));
  const tun = openTun(libc, "tun0");
  const socket = openSocket(libc, { name: "a", family: 4 });
  libc.symbols.pledge(cString("stdio error"), null);
  for (let i = 0; i < 2; i++) {
    assertEquals(socket.send(batchOf(remoteAt("203.0.113.20", 9), [1]), 0), 0);
    assertEquals(socket.failure, "unreachable");
    assertThrows(() => openSocket(libc, { name: "b", family: 4 }), AggvpnError);
    assertThrows(() => setMtu(libc, tun, 1400), AggvpnError, "Function not implemented");
    assertThrows(() => killGroup(libc, 4711), AggvpnError, "Function not implemented");
  }
  assertEquals(libc.refused, ["sendmmsg", "socket", "ioctl", "kill"]);
});

Deno.test("a socket option that pledge(2) refuses is told, and the socket works without", () => {
  const libc = new FakeLibc(gateway(new FakeWorld()));
  libc.symbols.pledge(cString("stdio error inet"), null);
  const socket = openSocket(libc, { name: "a", family: 4 });
  assertEquals(libc.refused, []);
  assertThrows(() => openSocket(libc, { name: "b", family: 4, rdomain: 1 }), AggvpnError);
  assertEquals(libc.refused, ["setsockopt"]);
  socket.close();
});

Deno.test("Refusals writes one line for a call to the log", async () => {
  const lines: string[] = [];
  await configure({
    sinks: { lines: (record) => lines.push(record.message.join("")) },
    loggers: [{ category: ["aggvpn"], sinks: ["lines"] }, {
      category: ["logtape", "meta"],
      sinks: [],
    }],
    reset: true,
  });
  try {
    const refusals = new Refusals();
    for (const errno of [ERRNO.ENOSYS, ERRNO.ENOSYS, ERRNO.EAGAIN]) {
      assertEquals(refusals.note("setsockopt", errno), errno);
    }
  } finally {
    await reset();
  }
  assertEquals(lines, ["pledge(2) refused setsockopt: please report this"]);
});
