/**
 * Serves the route handler of the Next.js example without Next.js: `node host.mjs EXAMPLE`, in the web client's folder.
 * It prints its port. A line that it reads is the example's secrets from then on. GET tells what the example keeps.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { register } from 'node:module';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

register('./hooks.mjs', import.meta.url);
const folder = pathToFileURL(`${process.argv[2]}/app/messenger-webhook/`);
const { POST } = await import(new URL('route.ts', folder));
const { messages, taken } = await import(new URL('inbox.ts', folder));

async function answer(request) {
  if (request.method === 'GET')
    return Response.json({ messages: Object.fromEntries(messages), taken: [...taken] });
  const { method, headers } = request;
  return POST(new Request('http://host/messenger-webhook', { method, headers, body: await text(request) }));
}

const server = createServer(async (request, response) => {
  const answered = await answer(request);
  response.writeHead(answered.status, Object.fromEntries(answered.headers)).end(await answered.text());
});
await once(server.listen(0, '127.0.0.1'), 'listening');
console.log(server.address().port);
for await (const line of createInterface({ input: process.stdin })) {
  process.env.WEBHOOK_SECRETS = line;
  console.log('changed');
}
process.exit();
