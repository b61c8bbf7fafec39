/** Needs permission to write below the directory for temporary files. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { eventually } from "../../lab/require.ts";
import { ask, follow } from "../../src/control/client.ts";
import { isAlive, openControl } from "../../src/control/server.ts";
import { AggvpnError } from "../../src/errors.ts";

/** Runs `body` with the path of a socket in a directory that does not exist yet. */
async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    await body(`${directory}/run/home.sock`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Sends raw bytes and returns what comes back until the server hangs up or `lines` came. */
async function talk(path: string, bytes: Uint8Array, lines: number): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path });
  for (let sent = 0; sent < bytes.length;) {
    sent += await connection.write(bytes.subarray(sent)).catch(() => Infinity);
  }
  let text = "";
  const buffer = new Uint8Array(65536);
  while (text.split("\n").length <= lines) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}

/** How long something immediate may take on a busy host. */
const PATIENCE_MS = 20_000;

function isRefused(error: unknown): false {
  assertInstanceOf(error, AggvpnError);
  return false;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("ask() returns what the server answers, many times and at once", async () => {
  await withPath(async (path) => {
    let count = 0;
    const server = await openControl(path, { status: () => ({ count: ++count }) });
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(path, "status")));
    assertEquals(answers.length, 40);
    assertEquals(count, 40);
    server.close();
  });
});

Deno.test("openControl() makes a socket for its owner only and removes it on close", async () => {
  await withPath(async (path) => {
    const server = await openControl(path, {});
    assertEquals(Deno.lstatSync(path).mode! & 0o777, 0o600);
    server.close();
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
    assertEquals(await isAlive(path), false);
  });
});

Deno.test("openControl() refuses the socket of a live daemon and leaves it alone", async () => {
  await withPath(async (path) => {
    const server = await openControl(path, { status: () => 1 });
    const error = await assertRejects(() => openControl(path, {}), AggvpnError);
    assertStringIncludes(error.message, "already running");
    assertEquals(await ask(path, "status"), 1);
    server.close();
  });
});

Deno.test("openControl() replaces the socket of a dead daemon", async () => {
  await withPath(async (path) => {
    const code = `Deno.mkdirSync(${JSON.stringify(path.slice(0, -10))}, { recursive: true });
      Deno.listen({ transport: "unix", path: ${
      JSON.stringify(path)
    } }); Deno.kill(Deno.pid, "SIGKILL")`;
    const { signal } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
    assertEquals(signal, "SIGKILL");
    assert(Deno.lstatSync(path).isSocket);
    const server = await openControl(path, { status: () => 2 });
    assertEquals(await ask(path, "status"), 2);
    server.close();
  });
});

Deno.test("openControl() does not replace a file that is no socket", async () => {
  await withPath(async (path) => {
    Deno.mkdirSync(path, { recursive: true });
    await assertRejects(() => openControl(path, {}), AggvpnError);
    assert(Deno.lstatSync(path).isDirectory);
  });
});

Deno.test("openControl() refuses a path that is too long and one that cannot be made", async () => {
  await assertRejects(() => openControl(`/tmp/${"x".repeat(100)}.sock`, {}), AggvpnError);
  await assertRejects(() => openControl("/proc/none/home.sock", {}), AggvpnError);
});

Deno.test("ControlServer answers what it does not understand with an error and goes on", async () => {
  await withPath(async (path) => {
    const server = await openControl(path, { status: () => 3 });
    const lines = [
      "nonsense",
      '{"version":1,"request":"__proto__"}',
      '{"version":1,"request":"toString"}',
      '{"version":9,"request":"status"}',
      '{"version":1,"request":"status"}',
    ];
    const answers = (await talk(path, encode(lines.join("\n") + "\n"), 5)).trim().split("\n");
    assertEquals(answers.map((line) => JSON.parse(line)), [
      { version: 1, error: "The request is not JSON" },
      { version: 1, error: 'Unknown request "__proto__"' },
      { version: 1, error: 'Unknown request "toString"' },
      { version: 1, error: "Only version 1 is spoken here" },
      { version: 1, status: 3 },
    ]);
    server.close();
  });
});

Deno.test("ControlServer hangs up on a line without end, and serves the next client", async () => {
  await withPath(async (path) => {
    const server = await openControl(path, { status: () => 4 });
    const answer = await talk(path, new Uint8Array(1 << 20).fill(65), 1);
    if (answer !== "") assertStringIncludes(answer, "longer than 4096 bytes");
    await talk(path, Uint8Array.of(0, 255, 10, 128, 10), 2);
    assertEquals(await ask(path, "status"), 4);
    server.close();
  });
});

Deno.test("ControlServer.close() hangs up on clients that are connected", async () => {
  await withPath(async (path) => {
    const server = await openControl(path, {});
    using client = await Deno.connect({ transport: "unix", path });
    const reading = client.read(new Uint8Array(10));
    await client.write(encode('{"version":1,'));
    server.close();
    assertEquals(await reading.catch(() => null), null);
  });
});

Deno.test("ControlServer serves more clients after too many have come at once", async () => {
  await withPath(async (path) => {
    const server = await openControl(path, { status: () => 5 });
    const connect = (): Promise<Deno.UnixConn> => Deno.connect({ transport: "unix", path });
    const crowd = await Promise.all(Array.from({ length: 100 }, connect));
    // The server gets to its clients, and to their end, a moment later.
    const isServed = (): Promise<boolean> => ask(path, "status").then((is) => is === 5, isRefused);
    assert(await eventually(async () => !await isServed(), PATIENCE_MS));
    for (const client of crowd) client.close();
    assert(await eventually(isServed, PATIENCE_MS));
    server.close();
  });
});

Deno.test("ask() says that no tunnel is running", async () => {
  const error = await assertRejects(() => ask("/nonexistent/home.sock", "status"), AggvpnError);
  assertStringIncludes(error.message, "No tunnel is running");
});

Deno.test("ask() passes on the error of the daemon", async () => {
  await withPath(async (path) => {
    const server = await openControl(path, {});
    const error = await assertRejects(() => ask(path, "status"), AggvpnError);
    assertStringIncludes(error.message, 'Unknown request "status"');
    server.close();
  });
});

Deno.test("ControlServer passes parameters on and errors with their hints back", async () => {
  await withPath(async (path) => {
    const server = await openControl(path, {
      double: ({ of }) => Promise.resolve(Number(of) * 2),
      refuse: () => {
        throw new AggvpnError("Not now", { hint: "Later" });
      },
      fail: () => {
        throw new TypeError("A secret of this program");
      },
    });
    assertEquals(await ask(path, "double", { of: 21 }), 42);
    const refused = await assertRejects(() => ask(path, "refuse"), AggvpnError, "Not now");
    assertEquals(refused.hint, "Later");
    const failed = await assertRejects(() => ask(path, "fail"), AggvpnError, "which is a bug");
    assertEquals(failed.message.includes("secret"), false);
    server.close();
  });
});

Deno.test("follow() gives what a stream gives, and ends it by hanging up", async () => {
  await withPath(async (path) => {
    const ended = Promise.withResolvers<void>();
    const server = await openControl(path, {}, {
      async *count({ from }, signal): AsyncGenerator<number, void> {
        signal.addEventListener("abort", () => ended.resolve());
        for (let i = Number(from); !signal.aborted; i++) yield i;
      },
      refuse: () => {
        throw new AggvpnError("No such stream today");
      },
    });
    const seen: unknown[] = [];
    for await (const item of follow(path, "count", { from: 5 })) {
      seen.push(item);
      if (seen.length === 3) break;
    }
    assertEquals(seen, [5, 6, 7]);
    await ended.promise;
    await assertRejects(() => follow(path, "refuse").next(), AggvpnError, "No such stream today");
    server.close();
  });
});
