// Reads [[kind, text], …] from standard input; prints for each what its own parser understands of it, or its complaint.
import { readFileSync } from "node:fs";
import { Parser } from "@dbml/core";
import mermaid from "mermaid";

const readers = {
  mermaid: async (text) => {
    await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const entities = [...db.getEntities().entries()];
    return {
      tables: Object.fromEntries(entities.map(([name, entity]) => [name, entity.attributes.map((item) => item.name)])),
      references: db.getRelationships().length,
    };
  },
  dbml: async (text) => {
    // There is no schema at all in a text without tables and enums.
    const [schema = { tables: [], refs: [], enums: [] }] = new Parser().parse(text, "dbmlv2").schemas;
    return {
      tables: Object.fromEntries(schema.tables.map((table) => [table.name, table.fields.map((field) => field.name)])),
      references: schema.refs.length,
      enums: Object.fromEntries(schema.enums.map((item) => [item.name, item.values.map((value) => value.name)])),
    };
  },
};
const answers = [];
for (const [kind, text] of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    answers.push(await readers[kind](text));
  } catch (error) {
    answers.push({ error: String(error.message ?? JSON.stringify(error.diags)).slice(0, 500), text });
  }
}
process.stdout.write(JSON.stringify(answers));
