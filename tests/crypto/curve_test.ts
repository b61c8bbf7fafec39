import { NOBLE_CURVE } from "../../src/crypto/curve.ts";
import { testCurve } from "./curve_checks.ts";

testCurve("noble", NOBLE_CURVE);
