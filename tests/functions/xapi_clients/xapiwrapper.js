// xapiwrapper, in a page of another origin: evaluated there with where the store is, after the library was loaded.
async ({ endpoint, key, secret, run }) => {
  const { XAPIWrapper } = ADL;
  XAPIWrapper.changeConfig({ endpoint: `${endpoint}/`, auth: `Basic ${btoa(`${key}:${secret}`)}`, strictCallbacks: true });
  const agent = { objectType: "Agent", mbox: `mailto:${run}@example.org`, name: "Ana Roux" };
  const activityId = `https://example.org/activities/${run}`;
  const sent = [];

  const statement = (verb = "experienced") => ({
    actor: agent,
    verb: { id: `http://adlnet.gov/expapi/verbs/${verb}`, display: { "en-US": verb } },
    object: { objectType: "Activity", id: activityId, definition: { name: { "en-US": "A lesson" } } },
  });
  const check = (condition, message) => {
    if (!condition) throw new Error(message);
  };
  // `call` of a method whose callback is given as argument number `place`.
  const call = (method, place, ...given) =>
    new Promise((resolve, reject) => {
      const settings = [...given];
      settings[place] = (error, request, body) => (error ? reject(new Error(`${method}: ${error}`)) : resolve({ request, body }));
      XAPIWrapper[method](...settings);
    });
  const list = async (filter, more = null) => JSON.parse((await call("getStatements", 2, filter, more)).request.responseText);
  const until = async (read, isRight) => {
    for (let tries = 0; tries < 120; tries += 1) {
      const found = await read();
      if (isRight(found)) return found;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error("what was sent was never listed");
  };
  const withFile = (value, contentType) =>
    call("sendStatement", 1, statement("interacted"), null, [
      { type: { usageType: "http://id.tincanapi.com/attachment/supporting_media", display: { "en-US": "A file" }, contentType }, value },
    ]);

  const steps = {
    statement: async () => {
      const { body } = await call("sendStatement", 1, statement());
      sent.push(body.id);
      check((await list({ statementId: body.id })).id === body.id, "another statement came back");
      return body.id;
    },
    batch: async () => {
      const { body } = await call("sendStatements", 1, [statement("attended"), statement("attended")]);
      sent.push(...body);
      return body;
    },
    "text attachment": async () => (await withFile("Größe: 3 m", "text/plain")).body.id,
    "binary attachment": async () => (await withFile(Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 255]).buffer, "image/png")).body.id,
    state: async () => {
      await call("sendState", 7, activityId, agent, "bookmark", null, { page: 1, kept: true }, null, null);
      await call("sendState", 7, activityId, agent, "bookmark", null, { page: 2 }, null, null);
      const { body, request } = await call("getState", 5, activityId, agent, "bookmark", null, null);
      check(body.page === 2 && body.kept, "POST did not merge");
      const tag = request.getResponseHeader("ETag").replaceAll('"', "");
      await call("sendState", 7, activityId, agent, "bookmark", null, { page: 3 }, tag, null);
      await call("sendState", 7, activityId, agent, "text", null, "as it is", null, null);
      check((await call("getState", 5, activityId, agent, "text", null, null)).request.responseText === "as it is", "the text changed");
      check((await call("getState", 5, activityId, agent, null, null, null)).body.includes("bookmark"), "the id is not listed");
      await call("deleteState", 6, activityId, agent, "bookmark", null, null, null);
    },
    profiles: async () => {
      await call("sendActivityProfile", 5, activityId, "settings", { level: 1 }, null, "*");
      check((await call("getActivityProfile", 3, activityId, "settings", null)).body.level === 1, "another profile");
      await call("sendAgentProfile", 5, agent, "settings", { level: 1 }, null, "*");
      check((await call("getAgentProfile", 3, agent, "settings", null)).body.level === 1, "another profile");
      await call("deleteActivityProfile", 4, activityId, "settings", null, null);
      await call("deleteAgentProfile", 4, agent, "settings", null, null);
    },
    queries: async () => {
      const filter = { agent: JSON.stringify(agent), activity: activityId };
      const ids = async () => (await list(filter)).statements.map((item) => item.id);
      const listed = await until(ids, (found) => sent.every((id) => found.includes(id)));
      const verb = "http://adlnet.gov/expapi/verbs/attended";
      const { statements } = await list({ ...filter, verb, ascending: true, since: "2020-01-01T00:00:00Z" });
      check(statements.map((item) => item.id).join() === sent.slice(1).join(), "the filter found others");
      check((await call("getActivities", 1, activityId)).body.definition.name["en-US"] === "A lesson", "no definition");
      check((await call("getAgents", 1, agent)).body.mbox.includes(agent.mbox), "no person");
      return listed.length;
    },
    more: async () => {
      let page = await list({ agent: JSON.stringify(agent), limit: 1 });
      const ids = page.statements.map((item) => item.id);
      while (page.more) {
        page = await list(null, page.more);
        ids.push(...page.statements.map((item) => item.id));
      }
      check(sent.every((id) => ids.includes(id)) && new Set(ids).size === ids.length, "paging lost or repeated statements");
      return ids.length;
    },
  };

  const outcomes = {};
  for (const [name, step] of Object.entries(steps)) {
    try {
      outcomes[name] = { ok: true, value: (await step()) ?? null };
    } catch (error) {
      outcomes[name] = { ok: false, error: String(error?.message ?? error) };
    }
  }
  return outcomes;
}
