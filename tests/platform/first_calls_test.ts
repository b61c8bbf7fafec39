import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import { type FirstCalls, tryFirst } from "../../src/platform/first_calls.ts";
import { openLibc } from "../../src/platform/linux/libc.ts";
import { NOT_LINUX } from "./linux/requirements.ts";

const SOCKET = { family: 2, type: 2 };

/** A libc of process 4711 that records its calls; some of its functions can be replaced. */
function libcWith(
  symbols: Partial<FirstCalls["symbols"]> = {},
): FirstCalls & { readonly calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    symbols: {
      getpid(): number {
        calls.push("getpid()");
        return 4711;
      },
      socket(domain, type, protocol): number {
        calls.push(`socket(${domain}, ${type}, ${protocol})`);
        return 7;
      },
      close(fd): number {
        calls.push(`close(${fd})`);
        return fd === 7 ? 0 : -1;
      },
      ...symbols,
    },
    errno: () => 9,
    describe: (errno) => errno === 9 ? "Bad file descriptor" : "another",
  };
}

/** The error of the first use. */
function errorOf(open: () => FirstCalls): AggvpnError {
  const error = assertThrows(tryFirst(open, SOCKET, 4711));
  assertInstanceOf(error, AggvpnError);
  return error;
}

Deno.test("tryFirst() calls getpid, opens and closes a socket, then nothing, once and not before", () => {
  const libc = libcWith();
  let opened = 0;
  const get = tryFirst(
    () => {
      opened++;
      return libc;
    },
    SOCKET,
    4711,
  );
  assertEquals([opened, libc.calls], [0, []]);
  assertStrictEquals(get(), libc);
  assertStrictEquals(get(), libc);
  assertEquals([opened, libc.calls], [1, ["getpid()", "socket(2, 2, 0)", "close(7)", "close(-1)"]]);
});

Deno.test("tryFirst() says in one line which call is wrong, and what to do", () => {
  const wrong: readonly [Partial<FirstCalls["symbols"]>, string][] = [
    [{ getpid: () => 0 }, "getpid(2) says 0, this is process 4711"],
    [{ socket: () => -1 }, "socket(2): Bad file descriptor"],
    [{ close: () => -1 }, "close(2): Bad file descriptor"],
    [{ close: () => 0 }, "close(2) of nothing says 0"],
  ];
  for (const [symbols, why] of wrong) {
    const { message, hint } = errorOf(() => libcWith(symbols));
    assertEquals(message, `Cannot call C functions here: ${why}`);
    assertEquals(
      hint,
      "Deno finds no C library, or cannot call it: report the whole line, please.",
    );
  }
});

Deno.test("tryFirst() finds that errors cannot be told apart, but not by one that is another", () => {
  const errnoOf = (...errors: readonly number[]): FirstCalls => {
    const left = [...errors];
    return { ...libcWith(), errno: () => left.shift() ?? 0 };
  };
  const { message } = errorOf(() => errnoOf());
  const why = "errno(2) is 0 when nothing is closed, not 9";
  assertEquals(message, `Cannot call C functions here: ${why}`);
  for (const libc of [errnoOf(9), errnoOf(35, 9), errnoOf(35, 11, 9)]) {
    assertStrictEquals(tryFirst(() => libc, SOCKET, 4711)(), libc);
  }
});

Deno.test("tryFirst() makes one line of whatever is thrown, and keeps it as the cause", () => {
  const throwing = (thrown: unknown) => (): never => {
    throw thrown;
  };
  const cause = new TypeError("Could not open library: libc.so: not found\n  in two lines");
  const error = errorOf(throwing(cause));
  assertEquals(
    error.message,
    "Cannot call C functions here: Could not open library: libc.so: not found",
  );
  assertStrictEquals(error.cause, cause);
  assertEquals(errorOf(throwing("no")).message, "Cannot call C functions here: no");
  const getpid = throwing(new Error("no such call"));
  assertEquals(
    errorOf(() => libcWith({ getpid })).message,
    "Cannot call C functions here: no such call",
  );
});

Deno.test("tryFirst() leaves errors alone that say what to do", () => {
  const own = new AggvpnError("Cannot call C functions by AGGVPN_CALLS=fast");
  const open = (): never => {
    throw own;
  };
  assertStrictEquals(errorOf(open), own);
});

Deno.test("tryFirst() tries again after an error", () => {
  let pid = 1;
  const get = tryFirst(() => libcWith({ getpid: () => pid }), SOCKET, 4711);
  assertThrows(get, AggvpnError);
  pid = 4711;
  assertEquals(get().symbols.getpid(), 4711);
});

Deno.test({
  name: "tryFirst() is content with the C library of this host, and knows a name that is none",
  ignore: NOT_LINUX,
  fn(): void {
    assertStrictEquals(tryFirst(openLibc, SOCKET)(), openLibc());
    const unopened = (): never => Deno.dlopen("libc.so.none", {}) as never;
    assertThrows(tryFirst(unopened, SOCKET), AggvpnError, "Cannot call C functions here: ");
  },
});
