/**
 * As much of JSON Schema (draft 2020-12) as the schemas of docs/ use, more strictly: what a schema
 * does not mention is an error, so that no field goes undocumented.
 *
 * @module
 */

/** A schema; other keywords than these are refused. */
export interface Schema {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

const KEYWORDS = new Set([
  "$schema",
  "title",
  "description",
  "type",
  "const",
  "enum",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "oneOf",
  "minimum",
  "maximum",
  "pattern",
]);

/** Returns what is wrong with `value`, each with its place; empty when it is right. */
export function schemaErrors(schema: Schema, value: unknown, at = "$"): string[] {
  const unknown = Object.keys(schema).filter((keyword) => !KEYWORDS.has(keyword));
  if (unknown.length > 0) return [`${at}: the schema has ${unknown.join(", ")}`];
  if (schema.oneOf) return oneOfErrors(schema.oneOf, value, at);
  if ("const" in schema && value !== schema.const) return [`${at}: not ${schema.const}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at}: ${value} is not in the enum`];
  if (schema.type && !isOfType(schema.type, value)) return [`${at}: ${value} is no ${schema.type}`];
  if (typeof value === "number") {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    return value < minimum || value > maximum ? [`${at}: ${value} is out of bounds`] : [];
  }
  if (typeof value === "string") {
    const isRight = schema.pattern === undefined || new RegExp(schema.pattern).test(value);
    return isRight ? [] : [`${at}: "${value}" has not the pattern`];
  }
  if (Array.isArray(value)) {
    if (!schema.items) return [`${at}: the schema does not say what is in it`];
    return value.flatMap((item, i) => schemaErrors(schema.items!, item, `${at}[${i}]`));
  }
  return typeof value === "object" && value !== null ? objectErrors(schema, value, at) : [];
}

function oneOfErrors(schemas: readonly Schema[], value: unknown, at: string): string[] {
  const errors = schemas.map((schema) => schemaErrors(schema, value, at));
  const right = errors.filter((list) => list.length === 0).length;
  return right === 1 ? [] : [`${at}: ${right} alternatives fit: ${errors.flat().join("; ")}`];
}

function objectErrors(schema: Schema, value: object, at: string): string[] {
  const { properties = {}, required = [], additionalProperties } = schema;
  const missing = required.filter((key) => !Object.hasOwn(value, key));
  const errors = missing.map((key) => `${at}.${key}: missing`);
  for (const [key, item] of Object.entries(value)) {
    const of = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    if (!of) errors.push(`${at}.${key}: not in the schema`);
    else errors.push(...schemaErrors(of, item, `${at}.${key}`));
  }
  return errors;
}

function isOfType(type: NonNullable<Schema["type"]>, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "array") return Array.isArray(value);
  if (type === "object") {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }
  const is: string = typeof value;
  return is === type;
}
