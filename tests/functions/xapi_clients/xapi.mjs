// @xapi/xapi: arguments are the version of the standard and the adapter (axios or fetch).
import XAPI from "@xapi/xapi";
import { activityId, agent, attachment, bytes, check, endpoint, key, report, same, secret, statement, text, until, uuid } from "./steps.mjs";

const [version, adapter] = process.argv.slice(2);
const client = new XAPI({ endpoint, auth: XAPI.toBasicAuth(key, secret), version, adapter });
const where = { agent, activityId };
const sent = [];

await report({
  about: async () => (await client.getAbout()).data.version,
  statement: async () => {
    const [id] = (await client.sendStatement({ statement: statement() })).data;
    sent.push(id);
    check((await client.getStatement({ statementId: id })).data.id === id, "another statement came back");
    return id;
  },
  batch: async () => {
    const given = uuid();
    const { data } = await client.sendStatements({ statements: [statement("attended"), statement("attended", { id: given })] });
    check(data[1] === given, "the ids are not in the order of the statements");
    sent.push(...data);
    return data;
  },
  "text attachment": async () => {
    const made = statement("interacted", { attachments: [attachment(text, "text/plain")] });
    const [id] = (await client.sendStatement({ statement: made, attachments: [text.buffer] })).data;
    const { data } = await client.getStatement({ statementId: id, attachments: true });
    check(JSON.stringify(data).includes("Größe"), "the attachment did not come back");
    return id;
  },
  "binary attachment": async () => {
    const made = statement("interacted", { attachments: [attachment(bytes, "image/png")] });
    return (await client.sendStatement({ statement: made, attachments: [bytes.buffer] })).data[0];
  },
  state: async () => {
    const stateId = "bookmark";
    await client.setState({ ...where, stateId, state: { page: 1, kept: true } });
    await client.createState({ ...where, stateId, state: { page: 2 } });
    const { data, headers } = await client.getState({ ...where, stateId });
    check(data.page === 2 && data.kept, "POST did not merge");
    const etag = typeof headers.get === "function" ? headers.get("etag") : headers.etag;
    await client.setState({ ...where, stateId, state: { page: 3 }, etag, matchHeader: "If-Match" });
    check((await client.getStates(where)).data.includes(stateId), "the id is not listed");
    await client.deleteState({ ...where, stateId });
    check((await client.getStates(where)).data.length === 0, "the document is still listed");
  },
  profiles: async () => {
    const profileId = "settings";
    await client.createActivityProfile({ activityId, profileId, profile: { level: 1 }, etag: "*", matchHeader: "If-None-Match" });
    await client.createAgentProfile({ agent, profileId, profile: { level: 1 }, etag: "*", matchHeader: "If-None-Match" });
    const kept = await client.getActivityProfile({ activityId, profileId });
    const etag = typeof kept.headers.get === "function" ? kept.headers.get("etag") : kept.headers.etag;
    await client.setActivityProfile({ activityId, profileId, profile: { level: 2 }, etag, matchHeader: "If-Match" });
    check((await client.getActivityProfile({ activityId, profileId })).data.level === 2, "the profile was not replaced");
    check((await client.getAgentProfile({ agent, profileId })).data.level === 1, "the profile of the agent is another one");
    await client.deleteActivityProfile({ activityId, profileId });
    await client.deleteAgentProfile({ agent, profileId });
  },
  queries: async () => {
    const listed = await until(
      async () => (await client.getStatements({ agent, activity: activityId, limit: 0 })).data.statements.map((item) => item.id),
      (ids) => sent.every((id) => ids.includes(id)),
    );
    const { data } = await client.getStatements({ agent, verb: "http://adlnet.gov/expapi/verbs/attended", ascending: true });
    check(same(data.statements.map((item) => item.id).join(), sent.slice(1).join()), "the filter found others");
    check((await client.getActivity({ activityId })).data.definition.name["en-US"] === "A lesson", "no definition");
    check((await client.getAgent({ agent })).data.mbox.includes(agent.mbox), "no person");
    return listed.length;
  },
  more: async () => {
    let { data } = await client.getStatements({ agent, limit: 1, useCacheBuster: true });
    const ids = data.statements.map((item) => item.id);
    while (data.more) {
      ({ data } = await client.getMoreStatements({ more: data.more }));
      ids.push(...data.statements.map((item) => item.id));
    }
    check(sent.every((id) => ids.includes(id)) && new Set(ids).size === ids.length, "paging lost or repeated statements");
    return ids.length;
  },
  voiding: async () => {
    await client.voidStatement({ actor: agent, statementId: sent[0] });
    return (await client.getVoidedStatement({ voidedStatementId: sent[0] })).data.id;
  },
});
