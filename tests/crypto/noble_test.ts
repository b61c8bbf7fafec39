import { nobleProvider } from "../../src/crypto/noble.ts";
import { testProvider } from "./aead_checks.ts";

testProvider(nobleProvider(), 300);
