/** What a Pact Broker is told once, before there is a pipeline, and what of it is missing. */
import { fieldsOf, listOf } from "../pact-file.ts";
import { consumerName, providerName } from "../states.ts";
import { connect, linkOf } from "./http.ts";
import type { Settings } from "./settings.ts";
import { event, type Webhook } from "./webhook.ts";

export function createSetup(settings: Settings) {
  const { baseUrl } = settings;
  const { ask, expectDone } = connect(settings);
  const read = async (what: string, url: string) => fieldsOf(await expectDone(what, ask("GET", url)));

  async function mainBranchOfProvider(): Promise<unknown> {
    const answer = await ask("GET", `${baseUrl}/pacticipants/${providerName}`);
    return answer.status === 404 ? undefined : fieldsOf(answer.body)["mainBranch"];
  }

  async function hasEnvironment(name: string): Promise<boolean> {
    const { _embedded } = await read("its environments", `${baseUrl}/environments`);
    return listOf(fieldsOf(_embedded)["environments"]).some((one) => fieldsOf(one)["name"] === name);
  }

  async function hasWebhook(): Promise<boolean> {
    const { _links } = await read("its webhooks", `${baseUrl}/webhooks`);
    const links = listOf(fieldsOf(_links)["pb:webhooks"]);
    const webhooks = links.map((self) => read("a webhook", linkOf({ _links: { self } }, "self")));
    return (await Promise.all(webhooks)).some(({ enabled, events, provider }) => {
      const { name } = fieldsOf(provider);
      const isHeard = listOf(events).some((one) => fieldsOf(one)["name"] === event);
      return enabled !== false && isHeard && (name === undefined || name === providerName);
    });
  }

  return {
    async registerConsumer(mainBranch: string): Promise<void> {
      const url = `${baseUrl}/pacticipants`;
      const changed = await ask("PATCH", `${url}/${consumerName}`, { mainBranch });
      const isUnknown = changed.status === 404;
      const done = isUnknown
        ? ask("POST", url, { name: consumerName, mainBranch })
        : Promise.resolve(changed);
      await expectDone(`the registration of ${consumerName}`, done);
    },

    async putWebhook({ uuid, body }: Webhook): Promise<void> {
      await expectDone("the webhook", ask("PUT", `${baseUrl}/webhooks/${uuid}`, body));
    },

    /** What a pipeline would miss, a line each that says who mends it and how. */
    async missing(environment: string): Promise<string[]> {
      const lines = [
        !(await mainBranchOfProvider()) &&
          `${providerName} has no main branch: its team runs \`npx pact broker create-or-update-pacticipant --name ${providerName} --main-branch <branch>\`.`,
        !(await hasEnvironment(environment)) &&
          `there is no environment "${environment}": \`npx pact broker create-environment --name ${environment} --production\` creates it.`,
        !(await hasWebhook()) &&
          `no webhook starts a build of ${providerName} when a contract was published: \`npm run broker -- webhook\` sets it up.`,
      ];
      return lines.filter((line) => line !== false);
    },
  };
}
