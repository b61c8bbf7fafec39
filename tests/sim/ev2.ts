// deno-lint-ignore-file
import { MADE_UP, recordedIn } from "../../lab/varying_lines.ts";
import { linksOf } from "../pair/shaped.ts";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import { runScenario, START_US, streamOf } from "./scenario.ts";
import { SERVER } from "./packet.ts";
const V = !Deno.env.get("NV"), F = !Deno.env.get("NF");
const [names, seeds = "3", knobs = "{}"] = Deno.args;
Object.assign(globalThis, JSON.parse(knobs!));
const out: string[] = [];
for (const name of names!.split(",")) {
  const set = [...recordedIn(Deno.env.get("TRACES")), ...MADE_UP].find((s) => s.name === name)!;
  const links = linksOf(set.lines, START_US);
  const per: string[] = [];
  const sum = [0, 0, 0, 0, 0, 0, 0, 0];
  const n = Number(seeds);
  for (let seed = 1; seed <= n; seed++) {
    let run: any;
    const r = runScenario(
      {
        name,
        links,
        from: SERVER,
        warmUpSeconds: 2,
        seconds: set.seconds - 2,
        congestion: ["cubic"],
        beside: [
          { kind: "stream", packetsPerSecond: 100, bytes: 188 },
          ...(V ? [{ kind: "video", mbps: 1.5 }] : []),
        ],
        ...(F ? {} : { flows: 0 }),
      } as any,
      endpointTunnel,
      {
        seed,
        onStep: (x) => {
          run = x;
        },
      },
    );
    const s = streamOf(run)!;
    [
      r.percentOfSum,
      s.delays.quantile(0.5) / 1e3,
      s.delays.quantile(0.95) / 1e3,
      s.delays.quantile(0.99) / 1e3,
      s.lost,
      run.ping.roundTrips.quantile(0.99) / 1e3,
      run.ping.roundTrips.quantile(0.95) / 1e3,
      r.frozenS,
    ].forEach((v, i) => sum[i] += v / n);
  }
  console.log(name, per.join(" "));
  out.push(
    `${name} ${sum[0]!.toFixed(1)}% call ${
      sum.slice(1, 4).map((x) => x!.toFixed(0)).join("/")
    } lost ${sum[4]!.toFixed(1)} frozen ${sum[7]!.toFixed(2)} ping95/99 ${sum[6]!.toFixed(0)}/${
      sum[5]!.toFixed(0)
    }`,
  );
}
console.log(knobs, "|", out.join(" | "));
