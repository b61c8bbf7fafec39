/**
 * What one datagram costs to seal and to open: libcrypto against noble, a tiny
 * packet against a full one. `deno bench -A bench/aead_bench.ts`
 *
 * @module
 */

import type { AeadProvider, Cipher } from "../src/crypto/aead.ts";
import { nobleProvider } from "../src/crypto/noble.ts";
import { loadLibcrypto } from "../src/platform/libcrypto.ts";
import { DatagramSlab, PacketPool } from "../src/slab.ts";

const SIZES = [64, 1400];
const CIPHERS: readonly Cipher[] = ["aes256gcm", "chacha20poly1305"];
const nonce = new Uint8Array(12);
const aad = new Uint8Array(14);
const pool = new PacketPool(1);
const target = new DatagramSlab(1);

function benchProvider(provider: AeadProvider, baseline: boolean): void {
  for (const cipher of CIPHERS) {
    const key = provider.importKey(cipher, new Uint8Array(32));
    for (const size of SIZES) {
      const datagrams = new DatagramSlab(1);
      const other = new PacketPool(1);
      key.seal(nonce, aad, pool, 0, size, datagrams, 0);
      const name = `${provider.name} ${cipher}`;
      Deno.bench({
        name: `${name} seal ${size}`,
        group: `seal ${size} B`,
        baseline: baseline && cipher === "aes256gcm",
        fn: (): void => key.seal(nonce, aad, pool, 0, size, target, 0),
      });
      Deno.bench({
        name: `${name} open ${size}`,
        group: `open ${size} B`,
        baseline: baseline && cipher === "aes256gcm",
        fn: (): void => void key.open(nonce, aad, datagrams, 0, size, other, 0),
      });
    }
  }
}

const libcrypto = loadLibcrypto("libcrypto.so.3") ?? loadLibcrypto("libcrypto.so");
if (libcrypto) benchProvider(libcrypto, true);
benchProvider(nobleProvider(), !libcrypto);
