// tincanjs, which calls back.
import { createRequire } from "node:module";
import { activityId, agent, bytes, check, endpoint, key, report, same, secret, statement, text, until, uuid } from "./steps.mjs";

const TinCan = createRequire(import.meta.url)("tincanjs");
TinCan.disableDebug?.();
const store = new TinCan.LRS({ endpoint, username: key, password: secret, allowFail: false });
const whose = { agent: new TinCan.Agent(agent), activity: new TinCan.Activity({ id: activityId }) };
const sent = [];

// `call` of a method that ends with a callback (error, result).
const call = (method, ...args) =>
  new Promise((resolve, reject) => {
    const settings = args.at(-1);
    settings.callback = (error, result) =>
      error === null || error === undefined || error === false
        ? resolve(result)
        : reject(new Error(`${method}: ${error?.status ?? error} ${result?.responseText ?? ""}`));
    store[method](...args);
  });

const withFile = (content, contentType) =>
  new TinCan.Statement({
    ...statement("interacted"),
    attachments: [
      { usageType: "http://id.tincanapi.com/attachment/supporting_media", display: { "en-US": "A file" }, contentType, content: content.buffer },
    ],
  });

const readBack = async (id) =>
  (await call("retrieveStatement", id, { params: { attachments: true } })).attachments[0].content;

await report({
  about: async () => (await call("about", {})).version,
  statement: async () => {
    const made = new TinCan.Statement({ ...statement(), id: uuid() });
    await call("saveStatement", made, {});
    sent.push(made.id);
    check((await call("retrieveStatement", made.id, {})).id === made.id, "another statement came back");
    return made.id;
  },
  batch: async () => {
    const made = [statement("attended"), statement("attended")].map((item) => new TinCan.Statement({ ...item, id: uuid() }));
    await call("saveStatements", made, {});
    sent.push(...made.map((item) => item.id));
    return made.map((item) => item.id);
  },
  "text attachment": async () => {
    const made = withFile(text, "text/plain");
    await call("saveStatement", made, {});
    check(same(new Uint8Array(await readBack(made.id)), text), "the attachment came back changed");
    return made.id;
  },
  "binary attachment": async () => {
    const made = withFile(bytes, "image/png");
    await call("saveStatement", made, {});
    check(same(new Uint8Array(await readBack(made.id)), bytes), "the attachment came back changed");
  },
  state: async () => {
    await call("saveState", "bookmark", "page 1", { ...whose });
    const first = await call("retrieveState", "bookmark", { ...whose });
    check(first.contents === "page 1", "the document came back changed");
    await call("saveState", "bookmark", "page 2", { ...whose, lastSHA1: first.etag });
    check((await call("retrieveStateIds", { ...whose })).includes("bookmark"), "the id is not listed");
    await call("saveState", "merged", { a: 1 }, { ...whose, contentType: "application/json", method: "POST" });
    await call("saveState", "merged", { b: 2 }, { ...whose, contentType: "application/json", method: "POST" });
    check((await call("retrieveState", "merged", { ...whose })).contents.a === 1, "POST did not merge");
    await call("dropState", "bookmark", { ...whose });
    check((await call("retrieveState", "bookmark", { ...whose })) === null, "the document is still there");
  },
  profiles: async () => {
    await call("saveActivityProfile", "settings", "one", { activity: whose.activity });
    const kept = await call("retrieveActivityProfile", "settings", { activity: whose.activity });
    await call("saveActivityProfile", "settings", "two", { activity: whose.activity, lastSHA1: kept.etag });
    await call("saveAgentProfile", "settings", "one", { agent: whose.agent });
    check((await call("retrieveAgentProfile", "settings", { agent: whose.agent })).contents === "one", "another profile");
    await call("dropActivityProfile", "settings", { activity: whose.activity });
    await call("dropAgentProfile", "settings", { agent: whose.agent });
  },
  queries: async () => {
    const listed = await until(
      async () => (await call("queryStatements", { params: { agent: whose.agent, activity: whose.activity } })).statements.map((item) => item.id),
      (ids) => sent.every((id) => ids.includes(id)),
    );
    const verb = new TinCan.Verb({ id: "http://adlnet.gov/expapi/verbs/attended" });
    const { statements } = await call("queryStatements", { params: { agent: whose.agent, verb, ascending: true } });
    check(statements.map((item) => item.id).join() === sent.slice(1).join(), "the filter found others");
    check((await call("retrieveActivity", activityId, {})).definition.name["en-US"] === "A lesson", "no definition");
    return listed.length;
  },
  more: async () => {
    let page = await call("queryStatements", { params: { agent: whose.agent, limit: 1 } });
    const ids = page.statements.map((item) => item.id);
    while (page.more) {
      page = await call("moreStatements", { url: page.more });
      ids.push(...page.statements.map((item) => item.id));
    }
    check(sent.every((id) => ids.includes(id)) && new Set(ids).size === ids.length, "paging lost or repeated statements");
    return ids.length;
  },
  voiding: async () => {
    const object = { objectType: "StatementRef", id: sent[0] };
    const voiding = new TinCan.Statement({ ...statement("voided"), id: uuid(), object });
    await call("saveStatement", voiding, {});
    return (await call("retrieveVoidedStatement", sent[0], {})).id;
  },
});
