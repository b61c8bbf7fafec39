/** Needs permission to run /bin/sh and to write temporary files. */

import { assertEquals } from "@std/assert";

const NOTIFY = new URL("../../examples/notify/", import.meta.url).pathname;
const DOWN = {
  DEVICE: "agg0",
  AGGVPN_PEER: "home",
  AGGVPN_LINK: "lte",
  AGGVPN_STATE: "down",
  AGGVPN_PREVIOUS: "up",
  AGGVPN_REASON: 'no answer "to" $(probes)',
};

/** Runs an example whose programs are fakes, and returns what these were given. */
async function notify(name: string, args: readonly string[], env = DOWN): Promise<string> {
  const directory = Deno.makeTempDirSync();
  try {
    const log = `${directory}/log`;
    Deno.writeTextFileSync(log, "");
    Deno.mkdirSync(`${directory}/bin`);
    for (const program of ["mail", "curl", "logger"]) {
      const fake = `#!/bin/sh\n{ printf '<%s>' ${program} "$@"; echo; ${
        program === "logger" ? "" : "cat"
      }
      } >>${log}\n`;
      Deno.writeTextFileSync(`${directory}/bin/${program}`, fake, { mode: 0o755 });
    }
    for (const file of ["message", name]) Deno.copyFileSync(NOTIFY + file, `${directory}/${file}`);
    Deno.writeTextFileSync(`${directory}/ntfy_address`, "https://ntfy.example/topic\n");
    const { code, stderr } = await new Deno.Command(`${directory}/${name}`, {
      args: [...args],
      env: { ...env, PATH: `${directory}/bin:/usr/bin:/bin` },
      clearEnv: true,
      stdin: "null",
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    return Deno.readTextFileSync(log);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("examples/notify/mail mails what matters", async () => {
  const text = 'agg0: the tunnel is down: no answer "to" $(probes)';
  assertEquals(
    await notify("mail", ["agg0", "tuntap_down"]),
    `<mail><-s><aggvpn: ${text}><root>\n${text}\n`,
  );
  assertEquals(await notify("mail", ["agg0", "rtun_down", "lte"]), "");
});

Deno.test("examples/notify/ntfy tells a phone, and nobody else where", async () => {
  const options = "<-fsS><-o></dev/null><--max-time><10><-H><Title: aggvpn>";
  assertEquals(
    await notify("ntfy", ["agg0", "rtun_down", "home/lte"]),
    `<curl>${options}<-H><Priority: default><--data-binary>` +
      '<agg0: link lte of home is down: no answer "to" $(probes)><-K><->\n' +
      'url = "https://ntfy.example/topic"\n',
  );
});

Deno.test("examples/notify/syslog says every event in words, and nothing of unknown ones", async () => {
  const said = async (event: string): Promise<string> =>
    (await notify("syslog", ["agg0", event], { ...DOWN, AGGVPN_REASON: "why" })).trimEnd();
  const line = (priority: string, words: string): string =>
    `<logger><-t><aggvpn><-p><daemon.${priority}><--><agg0: ${words}>`;
  assertEquals(await said("rtun_up"), line("notice", "link lte of home is up"));
  assertEquals(await said("client_up"), line("notice", "client home is here"));
  assertEquals(await said("client_down"), line("notice", "client home is gone: why"));
  assertEquals(await said("tuntap_up"), line("warning", "the tunnel is up"));
  assertEquals(await said("quota"), line("warning", "link lte: why"));
  assertEquals(await said("something_new"), "");
});
