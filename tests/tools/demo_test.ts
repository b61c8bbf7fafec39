import { assert, assertEquals } from "@std/assert";
import { marksLine, Row, Screen } from "../../tools/demo/screen.ts";
import { tableLines } from "../../tools/demo/table.ts";

function screenInto(out: string[], isTerminal: boolean): Screen {
  return new Screen({
    write: (text) => void out.push(text),
    isTerminal,
    color: false,
    unicode: false,
    fullBps: 100e6,
    stepsPerSecond: 2,
  });
}

Deno.test("Screen redraws rows in place on a terminal, within 80 columns", () => {
  const out: string[] = [];
  const screen = screenInto(out, true);
  const row = new Row("tunnel", "green");
  row.values.push(...Array<number>(60).fill(100e6));
  screen.update([row]);
  screen.update([row]);
  assertEquals(screen.line(row).length, 79);
  assert(out[1]?.startsWith("\x1b[1A\r tunnel"));
});

Deno.test("Screen says one line a second where there is no terminal", () => {
  const out: string[] = [];
  const screen = screenInto(out, false);
  const row = new Row("tunnel", "green");
  for (const bps of [10e6, 20e6, 30e6, 50e6]) {
    row.values.push(bps);
    screen.update([row], [{ step: 0, text: "line 2 cut" }]);
  }
  assertEquals(out, [
    "  1 s  tunnel 15.0 Mbit/s  line 2 cut\n",
    "  2 s  tunnel 40.0 Mbit/s  line 2 cut\n",
  ]);
});

Deno.test("marksLine points at the steps and keeps words apart", () => {
  const line = marksLine([{ step: 2, text: "cut" }, { step: 4, text: "back" }]);
  assertEquals(line.trim(), "^cut ^back");
  assertEquals(line.indexOf("^"), 19);
});

Deno.test("tableLines gives shares of the sum of the lines", () => {
  const lines = tableLines({
    lines: [40e6, 60e6],
    tunnel: 90e6,
    duringCut: 40e6,
    afterCut: 90e6,
    stallUs: 123_400,
  });
  assertEquals(lines[3], " one TCP connection through the tunnel     90.0 Mbit/s    90 %");
  assertEquals(lines[6], " longest stall when the line was cut        123 ms");
  assert(lines.every((line) => line.length <= 80));
});
