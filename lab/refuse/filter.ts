/**
 * Makes the kernel refuse system calls with ENOSYS, as pledge(2) does with the promise "error": a
 * seccomp(2) filter, for the rest of the process and for its children.
 *
 * Source: seccomp(2), <linux/filter.h>, <asm/unistd.h>.
 *
 * @module
 */

/** Numbers of the calls, by machine. */
const NUMBERS: Readonly<Record<string, readonly [x86_64: number, aarch64: number]>> = {
  fsync: [74, 82],
  execve: [59, 221],
  unlink: [87, -1],
  unlinkat: [263, 35],
  accept4: [288, 242],
};
const SECCOMP: readonly [number, number] = [317, 277];

const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1n;
const SECCOMP_FILTER_FLAG_TSYNC = 1n;
/** Loads a word of struct seccomp_data; its first is the number of the call. */
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
const FAIL_WITH_ENOSYS = 0x0005_0000 | 38;

/** Refuses `calls` from now on, to every thread. */
export function refuseCalls(calls: readonly string[]): void {
  const machine = Deno.build.arch === "x86_64" ? 0 : 1;
  const program = filterOf(calls.map((call) => NUMBERS[call]![machine]).filter((n) => n >= 0));
  const { symbols } = Deno.dlopen("libc.so.6", {
    prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
    syscall: { parameters: ["i64", "u64", "u64", "buffer"], result: "i64" },
  });
  // struct sock_fprog: the number of instructions, padding, their address.
  const list = new DataView(new ArrayBuffer(16));
  list.setUint16(0, program.byteLength / 8, true);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(program));
  list.setBigUint64(8, address, true);
  const number = BigInt(SECCOMP[machine]);
  const isDone = symbols.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) === 0 && symbols.syscall(
        number,
        SECCOMP_SET_MODE_FILTER,
        SECCOMP_FILTER_FLAG_TSYNC,
        new Uint8Array(list.buffer),
      ) === 0n;
  if (!isDone) throw new Error("seccomp(2) takes no filter here");
}

/** struct sock_filter: code u16, jumps if true and if false u8 each, value u32. */
function filterOf(numbers: readonly number[]): DataView<ArrayBuffer> {
  const instructions = [
    [LOAD, 0, 0],
    ...numbers.map((number, i) => [JUMP_IF_EQUAL, numbers.length - i, number]),
    [RETURN, 0, ALLOW],
    [RETURN, 0, FAIL_WITH_ENOSYS],
  ];
  const program = new DataView(new ArrayBuffer(instructions.length * 8));
  for (const [i, [code = 0, jump = 0, value = 0]] of instructions.entries()) {
    program.setUint16(i * 8, code, true);
    program.setUint8(i * 8 + 2, jump);
    program.setUint32(i * 8 + 4, value, true);
  }
  return program;
}
