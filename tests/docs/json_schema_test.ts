import { assertEquals } from "@std/assert";
import { type Schema, schemaErrors } from "./json_schema.ts";

Deno.test("schemaErrors() finds what is missing, unknown, of another type or out of bounds", () => {
  const schema: Schema = {
    type: "object",
    properties: {
      version: { const: 1 },
      state: { enum: ["up", "down"] },
      loss: { type: "number", minimum: 0, maximum: 1 },
      names: { type: "array", items: { type: "string", pattern: "^[a-z]+$" } },
      drops: { type: "object", additionalProperties: { type: "integer" } },
    },
    required: ["version", "state"],
  };
  const good = { version: 1, state: "up", loss: 0.5, names: ["a"], drops: { x: 1 } };
  assertEquals(schemaErrors(schema, good), []);
  const bad: readonly (readonly [unknown, string])[] = [
    [{ state: "up" }, "$.version: missing"],
    [{ ...good, version: 2 }, "$.version: not 1"],
    [{ ...good, state: "?" }, "$.state: ? is not in the enum"],
    [{ ...good, loss: 1.5 }, "$.loss: 1.5 is out of bounds"],
    [{ ...good, loss: null }, "$.loss: null is no number"],
    [{ ...good, names: ["A"] }, '$.names[0]: "A" has not the pattern'],
    [{ ...good, drops: { x: 1.5 } }, "$.drops.x: 1.5 is no integer"],
    [{ ...good, more: 1 }, "$.more: not in the schema"],
    [[], "$:  is no object"],
  ];
  for (const [value, error] of bad) assertEquals(schemaErrors(schema, value), [error]);
  assertEquals(schemaErrors({ oneOf: [{ const: 1 }, { const: 2 }] }, 2), []);
  assertEquals(schemaErrors({ oneOf: [{ const: 1 }] }, 2).length, 1);
  assertEquals(schemaErrors({ minLength: 3 } as Schema, "").length, 1);
});
