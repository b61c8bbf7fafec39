import { assertEquals } from "@std/assert";
import { Screen } from "../../../src/cli/live/screen.ts";

Deno.test("Screen gives the terminal back as it was, however often it is taken and left", () => {
  const done: string[] = [];
  const terminal = {
    write: (text: string) => void done.push(text),
    setRaw: (raw: boolean) => void done.push(raw ? "raw" : "cooked"),
  };
  const size = { columns: 80, rows: 3 };
  const enter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
  const leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";
  {
    using screen = new Screen(terminal);
    screen.draw(["a", "b"], size);
    screen.enter();
    screen.leave();
    screen.leave();
    screen.draw(["not shown"], size);
    screen.enter();
    screen.draw(["1", "2", "3", "4"], size);
  }
  assertEquals(done, [
    "raw",
    enter,
    "\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J",
    leave,
    "cooked",
    "raw",
    enter,
    "\x1b[H1\x1b[K\r\n2\x1b[K\r\n3\x1b[K",
    leave,
    "cooked",
  ]);
});
