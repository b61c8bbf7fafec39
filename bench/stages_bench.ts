/**
 * `make bench-stages`: what a packet costs at each stage of the core, in time and
 * in memory, and a million packets through both of its ends.
 *
 *     deno bundle --platform deno -o build/bench-stages.js bench/stages_bench.ts
 *     deno run -A --v8-flags=--expose-gc,--max-semi-space-size=1 build/bench-stages.js [PART]...
 *
 * The parts are `sending`, `receiving`, `offload`, `sealing`, `million` and `sites`; all by
 * default. `AGGVPN_CALLS=libffi` measures libcrypto without Deno's stubs, `AGGVPN_LIBRESSL=FILE` that
 * of a LibreSSL. The flags are the daemon's, plus one that lets the bench collect garbage. The
 * kernel's part is in `bench/syscalls_bench.ts`.
 *
 * @module
 */

import type { AeadProvider } from "../src/crypto/aead.ts";
import { runMillion, sitesPerPacket } from "./stages/million.ts";
import { COPY_AEAD } from "./stages/null_aead.ts";
import { offloadingStages } from "./stages/offloading.ts";
import { receivingStages } from "./stages/receiving.ts";
import { LIBCRYPTO, sealingStages } from "./stages/sealing.ts";
import { sendingStages } from "./stages/sending.ts";
import { measureStage, type Stage } from "./stages/stage.ts";

/** Functions that are listed. */
const SITES = 12;

const PARTS: Readonly<Record<string, () => void | Promise<void>>> = {
  sending: () => printStages("from the interface to the datagram", sendingStages()),
  receiving: () => printStages("from the datagram to the packet in order", receivingStages()),
  offload: () => printStages("super-packets and checksums", offloadingStages()),
  sealing: () => printStages("encryption", sealingStages()),
  million: printMillions,
  sites: printSites,
};

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

function printStages(title: string, stages: readonly Stage[]): void {
  print(`${title.padEnd(58)}ns/packet  bytes/packet`);
  for (const stage of stages) {
    const { nsPerPacket, bytesPerPacket } = measureStage(stage);
    const ns = nsPerPacket.toFixed(0).padStart(9);
    print(`  ${stage.name.padEnd(56)}${ns}${bytesPerPacket.toFixed(1).padStart(14)}`);
  }
  print("");
}

function printMillions(): void {
  print(
    "a million packets through both ends".padEnd(58) + "ns/packet  bytes/packet  GCs  retained",
  );
  const cases: readonly [AeadProvider | undefined, number, number][] = [
    [COPY_AEAD, 1, 160],
    [COPY_AEAD, 2, 160],
    [LIBCRYPTO, 1, 160],
    [LIBCRYPTO, 1, 1400],
  ];
  for (const [aead, links, sizeBytes] of cases) {
    if (aead === undefined) continue;
    const million = runMillion(aead, links, sizeBytes);
    const name = `${aead.name}, ${links === 1 ? "1 link" : `${links} links`}, ${sizeBytes} B`;
    const retained = million.retainedBytes === undefined
      ? "-"
      : `${(million.retainedBytes / 1024).toFixed(1)} KiB`;
    print(
      `  ${name.padEnd(56)}${million.nsPerPacket.toFixed(0).padStart(9)}` +
        `${million.bytesPerPacket.toFixed(1).padStart(14)}` +
        `${String(million.collections).padStart(5)}${retained.padStart(11)}`,
    );
  }
}

async function printSites(): Promise<void> {
  print("\nwho allocates in the core".padEnd(70) + "bytes/packet");
  const sites = await sitesPerPacket(COPY_AEAD, 2);
  for (const { name, bytes } of sites.slice(0, SITES)) {
    print(`  ${name.padEnd(65)}${bytes.toFixed(1).padStart(14)}`);
  }
}

if (import.meta.main) {
  const names = Deno.args.length > 0 ? Deno.args : Object.keys(PARTS);
  for (const name of names) {
    const part = PARTS[name];
    if (part === undefined) {
      print(`no part "${name}": there are ${Object.keys(PARTS).join(", ")}`);
      Deno.exit(2);
    }
    await part();
  }
}
