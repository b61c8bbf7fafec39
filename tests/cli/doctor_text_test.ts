import { assert, assertEquals } from "@std/assert";
import { doctorText } from "../../src/cli/doctor_text.ts";
import { diagnose } from "../../src/doctor/diagnose.ts";
import { factsOf } from "../doctor/facts.ts";

const SICK = diagnose(factsOf({
  mtuUp: 1492,
  up: { bps: 9.87e6, rttUs: 320_000, loss: 0.01 },
  portal: { state: "captured", by: `302, http://login.example/${"x".repeat(90)}` },
  seenAs: "[2001:db8:1234:5678:9abc:def0:1234:5678]:40000",
}));

Deno.test("doctorText() has a line for each finding, and one of advice for each fault", () => {
  assertEquals(
    doctorText(diagnose(factsOf({ mtuDown: 1492 })), 80, false),
    `\
home (not running: a session was made to measure)
  ok    clock: it is kept right

dsl  by eth0 from 192.168.1.2 to 203.0.113.1:5080
  ok    server: 203.0.113.1:5080 answers
  ok    delay: 20 ms, jitter 0.4 ms
  ok    loss: 0 % up, 0 % down of 390 probes
  note  size: packets of 1500 bytes up, 1492 down
        -> Usual for PPPoE, mobile and tunnels: nothing to do, aggvpn adapts.
  ok    nat: 192.168.1.2:40000 becomes 198.51.100.7:40000, the port is kept

no faults
`,
  );
});

Deno.test("doctorText() fits every terminal from 40 to 200 columns, and loses no letter", () => {
  const letters = (text: string): string => text.replace(/\s/g, "");
  const widest = letters(doctorText(SICK, 200, false));
  for (let columns = 40; columns <= 200; columns++) {
    const text = doctorText(SICK, columns, false);
    for (const line of text.split("\n")) assert(line.length <= columns, `${columns}: ${line}`);
    assertEquals(letters(text), widest);
  }
  assert(widest.endsWith("2faults"), widest);
});

Deno.test("doctorText() colours only what the words say too", () => {
  const colored = doctorText(SICK, 80, true);
  // deno-lint-ignore no-control-regex
  assertEquals(colored.replace(/\x1b\[\d+m/g, ""), doctorText(SICK, 80, false));
  assert(colored.includes("\x1b[31mFAULT\x1b[0m") && colored.includes("\x1b[33mnote \x1b[0m"));
});
