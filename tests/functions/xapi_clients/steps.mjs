// What the clients that run in Node have in common: where the store is, and a list of steps whose outcomes are printed.
import { randomUUID, createHash } from "node:crypto";

export const { XAPI_ENDPOINT: endpoint, XAPI_KEY: key, XAPI_SECRET: secret, XAPI_RUN: run } = process.env;
export const agent = { objectType: "Agent", mbox: `mailto:${run}@example.org`, name: "Ana Roux" };
export const activityId = `https://example.org/activities/${run}`;
export const bytes = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0xff]);
export const text = new TextEncoder().encode("Größe: 3 m");
export const uuid = randomUUID;
export const sha2 = (content) => createHash("sha256").update(content).digest("hex");

export function statement(verb = "experienced", more = {}) {
  return {
    actor: agent,
    verb: { id: `http://adlnet.gov/expapi/verbs/${verb}`, display: { "en-US": verb } },
    object: { objectType: "Activity", id: activityId, definition: { name: { "en-US": "A lesson" } } },
    ...more,
  };
}

export function attachment(content, contentType) {
  return {
    usageType: "http://id.tincanapi.com/attachment/supporting_media",
    display: { "en-US": "A file" },
    contentType,
    length: content.length,
    sha2: sha2(content),
  };
}

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

export const same = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)) === 0;

// Statements are listed a moment after they were accepted.
export async function until(read, isRight) {
  for (let tries = 0; tries < 120; tries += 1) {
    const found = await read();
    if (isRight(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error("what was sent was never listed");
}

export async function report(steps) {
  const outcomes = {};
  for (const [name, step] of Object.entries(steps)) {
    try {
      outcomes[name] = { ok: true, value: (await step()) ?? null };
    } catch (error) {
      outcomes[name] = { ok: false, error: String(error?.message ?? error), status: error?.response?.status ?? null };
    }
  }
  process.stdout.write(JSON.stringify(outcomes));
}
