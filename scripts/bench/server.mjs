/** The server of the loopback benchmarks: answers every request with success, and counts. Its parent asks for the count. */
import { createServer } from "node:http";

const json = { "content-type": "application/json" };
const answers = {
  "/v1/user": [
    200,
    json,
    '{"id":"3f2b8a4e","email":"ada@example.com","firstName":"Ada","lastName":"Lovelace"}',
  ],
  "/v1/auth/logout": [200, json, '{"success":true}'],
  // For oauth4webapi and supabase.
  "/revoke": [200, {}, ""],
  "/logout?scope=local": [204, {}, undefined],
};

let count = 0;
const server = createServer((request, response) => {
  count++;
  const [status, headers, body] = answers[request.url] ?? [404, {}, ""];
  request.resume();
  response.writeHead(status, headers).end(body);
});
server.listen(0, "127.0.0.1", () => process.send(`http://127.0.0.1:${server.address().port}`));
process.on("message", () => process.send(count));
process.on("disconnect", () => process.exit());
