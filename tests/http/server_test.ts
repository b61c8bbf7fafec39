/** Needs permission to listen on loopback. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { eventually } from "../../lab/require.ts";
import { HttpServer, MAX_CONNECTIONS, type Respond } from "../../src/http/server.ts";
import { logged } from "../logged.ts";
import { requestText, talk } from "./talk.ts";

/** Patience of a busy host, in milliseconds. */
const LONG = 20_000;

interface Running extends Disposable {
  readonly server: HttpServer;
  readonly port: number;
}

function serve(respond: Respond, patience = { headMs: LONG, pieceMs: LONG }): Running {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = new HttpServer(listener, respond, patience);
  return {
    server,
    port: (listener.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => server.close(),
  };
}

const hello: Respond = ({ path }) => ({ status: 200, body: `hello ${path}` });

Deno.test("HttpServer answers a request and hangs up", async () => {
  using running = serve(hello);
  const { status, headers, body } = await talk(running.port, requestText("/a?b"));
  assertEquals([status, body, headers.get("content-length")], [200, "hello /a", "8"]);
  assertEquals(headers.get("connection"), "close");
  assertEquals(headers.get("x-content-type-options"), "nosniff");
  const head = await talk(running.port, requestText("/a", {}, "HEAD"));
  assertEquals([head.body, head.headers.get("content-length")], ["", "8"]);
  assert(await eventually(() => running.server.connections === 0, LONG));
});

Deno.test("HttpServer sends a body in pieces as the client understands them", async () => {
  using running = serve(() => ({ status: 200, body: ["one ", "", "two"] }));
  const { headers, body } = await talk(running.port, requestText("/"));
  assertEquals([headers.get("transfer-encoding"), body], ["chunked", "one two"]);
  const old = await talk(running.port, "GET / HTTP/1.0\r\n\r\n");
  assertEquals([old.headers.get("transfer-encoding"), old.body], [undefined, "one two"]);
});

Deno.test("HttpServer says what is wrong with a request, also with one that is too long", async () => {
  using running = serve(hello);
  const long = "x".repeat(5000);
  const cases: [string, number][] = [
    ["nonsense\r\n\r\n", 400],
    [requestText("/", {}, "DELETE"), 405],
    [requestText("/", { "content-length": "9" }, "POST") + "something", 413],
    [`GET /${long} HTTP/1.1\r\n\r\n`, 431],
    [requestText("/").replace("\r\n\r\n", `\r\n${"a: b\r\n".repeat(100)}\r\n`), 431],
    [`${requestText("/").slice(0, -2)}a: ${"x".repeat(30_000)}\r\n\r\n`, 431],
  ];
  for (const [text, status] of cases) assertEquals((await talk(running.port, text)).status, status);
  assertEquals((await talk(running.port, requestText("/"))).status, 200);
});

Deno.test("HttpServer hangs up on who sends a request byte by byte", async () => {
  using running = serve(hello, { headMs: 100, pieceMs: LONG });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
  const reading = client.read(new Uint8Array(10)).catch(() => null);
  let hasEnded = false;
  void reading.then(() => hasEnded = true);
  const isHungUp = async (): Promise<boolean> => {
    await client.write(Uint8Array.of(65)).catch(() => {});
    return hasEnded;
  };
  assert(await eventually(isHungUp, LONG, 10));
  assertEquals(await reading, null);
});

Deno.test("HttpServer hangs up on who does not read", async () => {
  const megabyte = "x".repeat(1 << 20);
  let pieces = 0;
  const body = function* (): Generator<string> {
    for (; pieces < 1000; pieces++) yield megabyte;
  };
  const patience = { headMs: LONG, pieceMs: 200 };
  using running = serve(() => ({ status: 200, body: body() }), patience);
  using client = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
  await client.write(new TextEncoder().encode(requestText("/")));
  assert(await eventually(() => pieces > 0, LONG));
  if (Deno.version.deno.startsWith("2.7.")) client.close(); // else it would never end a write
  assert(await eventually(() => running.server.connections === 0, LONG));
  assert(pieces < 1000, "it would have filled the memory");
});

Deno.test("HttpServer bounds its connections, and serves again when they have gone", async () => {
  using running = serve(hello);
  const connect = (): Promise<Deno.TcpConn> =>
    Deno.connect({ hostname: "127.0.0.1", port: running.port });
  const crowd = await Promise.all(Array.from({ length: MAX_CONNECTIONS + 8 }, connect));
  assert(await eventually(() => running.server.connections === MAX_CONNECTIONS, LONG));
  const more = await talk(running.port, requestText("/")).then(({ raw }) => raw, () => "");
  assertEquals(more, "");
  for (const client of crowd) client.close();
  assert(await eventually(() => running.server.connections === 0, LONG));
  assertEquals((await talk(running.port, requestText("/"))).status, 200);
});

Deno.test("HttpServer ends a body without end when the client hangs up", async () => {
  let ended = false;
  using running = serve(() => ({
    status: 200,
    async *body(signal): AsyncGenerator<string> {
      try {
        yield "first";
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      } finally {
        ended = true;
      }
    },
  }));
  const client = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
  await client.write(new TextEncoder().encode(requestText("/")));
  let text = "";
  while (!text.includes("first")) {
    const buffer = new Uint8Array(1000);
    text += new TextDecoder().decode(buffer.subarray(0, await client.read(buffer) ?? 0));
  }
  assertEquals(ended, false);
  client.close();
  assert(await eventually(() => ended && running.server.connections === 0, LONG));
});

Deno.test("HttpServer answers a bug with 500, and logs it", async () => {
  using running = serve(() => {
    throw new TypeError("the bug");
  });
  const lines = await logged(async () => {
    const { status, body } = await talk(running.port, requestText("/x"));
    assertEquals([status, body], [500, "Internal Server Error\n"]);
  });
  assertStringIncludes(lines.join("\n"), "/x failed, which is a bug: TypeError: the bug");
});

Deno.test("HttpServer.close() hangs up on clients that are connected", async () => {
  const running = serve(hello);
  using client = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
  assert(await eventually(() => running.server.connections === 1, LONG));
  running.server.close();
  assertEquals(await client.read(new Uint8Array(1)).catch(() => null), null);
});
