/**
 * Sealing and opening: each library with both ciphers, and packets of three sizes.
 *
 * @module
 */

import { AAD_BYTES, type AeadProvider, type Cipher, NONCE_BYTES } from "../../src/crypto/aead.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import { CALLS_VARIABLE } from "../../src/platform/call_way.ts";
import { loadLibcrypto } from "../../src/platform/libcrypto.ts";
import { DatagramSlab, PacketPool } from "../../src/slab.ts";
import { BATCH, type Stage } from "./stage.ts";

const SIZES_BYTES = [64, 160, 1400];
const CIPHERS: readonly Cipher[] = ["aes256gcm", "chacha20poly1305"];

/** How C is called, as for the program: one process uses either stubs or libffi. */
const WAY = Deno.env.get(CALLS_VARIABLE) === "libffi" ? "libffi" : "stubs";
/** The libcrypto of a LibreSSL, when there is one to measure. */
const LIBRESSL = Deno.env.get("AGGVPN_LIBRESSL");

/** libcrypto, where there is one. */
export const LIBCRYPTO: AeadProvider | undefined = openLibcrypto();

function openLibcrypto(): AeadProvider | undefined {
  const provider = loadLibcrypto(LIBRESSL ?? "libcrypto.so.3", WAY);
  const library = LIBRESSL === undefined ? "libcrypto" : "LibreSSL";
  return provider && { ...provider, name: WAY === "stubs" ? library : `${library} by ${WAY}` };
}

function stagesOf(provider: AeadProvider, cipher: Cipher, sizeBytes: number): readonly Stage[] {
  const key = provider.importKey(cipher, new Uint8Array(32));
  const nonce = new Uint8Array(NONCE_BYTES);
  const aad = new Uint8Array(AAD_BYTES);
  const pool = new PacketPool(BATCH);
  const slab = new DatagramSlab(BATCH);
  const name = `${provider.name} ${cipher} ${sizeBytes} B`;
  const seal = (): void => {
    for (let i = 0; i < BATCH; i++) key.seal(nonce, aad, pool, i, sizeBytes, slab, i);
  };
  seal();
  return [
    { name: `seal, ${name}`, prepare: (): void => {}, run: seal },
    {
      name: `open, ${name}`,
      prepare: (): void => {},
      run(): void {
        for (let i = 0; i < BATCH; i++) {
          if (!key.open(nonce, aad, slab, i, sizeBytes, pool, i)) throw new Error("Not opened");
        }
      },
    },
  ];
}

/** All combinations. */
export function sealingStages(): readonly Stage[] {
  const providers = [...LIBCRYPTO ? [LIBCRYPTO] : [], nobleProvider()];
  return providers.flatMap((provider) =>
    CIPHERS.flatMap((cipher) => SIZES_BYTES.flatMap((size) => stagesOf(provider, cipher, size)))
  );
}
