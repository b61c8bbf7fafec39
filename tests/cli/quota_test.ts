/** Needs permission to write below the directory for temporary files. */

import { assertEquals, assertRejects } from "@std/assert";
import { quota } from "../../src/cli/commands/quota.ts";
import { openControl } from "../../src/control/server.ts";
import { answerQuota } from "../../src/daemon/quota_request.ts";
import { Quotas } from "../../src/daemon/quotas.ts";
import { AggvpnError } from "../../src/errors.ts";

const LINK = { quotaBytes: 50e9, day: 15, whenUsedUp: "last" } as const;

function quotas(): Quotas {
  return new Quotas({
    links: [{ ...LINK, id: 0, name: "lte" }, { ...LINK, id: 1, name: "sat", whenUsedUp: "off" }],
    carrier: { carriedBytes: () => 0, setLinkTier: () => {}, setLinkOff: () => {} },
    clock: () => 0,
    wallMs: () => new Date("2026-11-23T12:00:00").getTime(),
    file: { path: "", read: () => ({ text: '{"version":1,"months":{}}' }), write: async () => {} },
    onEvent: () => {},
  });
}

/** Runs `aggvpn quota` with `operands` against a tunnel with `of`. */
async function run(
  of: Quotas | undefined,
  operands: readonly string[],
  flags: Record<string, true> = {},
): Promise<string> {
  const directory = Deno.makeTempDirSync();
  const tunnel = `${directory}/home.sock`;
  const server = await openControl(tunnel, { quota: (parameters) => answerQuota(of, parameters) });
  let out = "";
  try {
    const shell = {
      stdout: (text: string) => void (out += text),
      stderr: () => {},
      color: false,
      columns: 80,
    };
    assertEquals(await quota.run(shell, { operands, flags: { tunnel, ...flags } }), 0);
    return out;
  } finally {
    server.close();
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("quota shows every quota, or one, and corrects it", async () => {
  const of = quotas();
  const sat = "sat: 0 B of 50 GB used, 0 %, until 15 December\n";
  assertEquals(await run(of, []), sat.replace("sat", "lte") + sat);
  assertEquals(
    await run(of, ["lte", "set", "12.5GB"]),
    "lte: 12.5 GB of 50 GB used, 25 %, until 15 December\n",
  );
  assertEquals(
    await run(of, ["sat", "set", "51 GB"]),
    "sat: 51 GB of 50 GB used, 102 % and so it is off, until 15 December\n",
  );
  assertEquals(await run(of, ["sat", "reset"]), sat);
  const { version, quotas: [json] } = JSON.parse(await run(of, ["lte"], { json: true }));
  assertEquals([version, json], [1, {
    link: "lte",
    usedBytes: 12.5e9,
    quotaBytes: 50e9,
    ends: "2026-12-15",
    whenUsedUp: "last",
  }]);
});

Deno.test("quota says what cannot be", async () => {
  await assertRejects(() => run(quotas(), ["dsl"]), AggvpnError, 'Link "dsl" has no quota');
  await assertRejects(() => run(undefined, []), AggvpnError, "No link of this tunnel has a quota");
});

Deno.test("answerQuota() takes nothing that makes no sense", async () => {
  for (const usedBytes of [-1, 1.5, "1", null, 2 ** 60, {}]) {
    await assertRejects(() => answerQuota(quotas(), { name: "lte", usedBytes }), AggvpnError);
  }
  await assertRejects(() => answerQuota(quotas(), { name: 7 }), AggvpnError);
});
