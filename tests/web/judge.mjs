/** Asks npm's `standardwebhooks`, in the web client's folder: it signs and verifies the cases that it reads as JSON. */

import { createRequire } from 'node:module';
import { json } from 'node:stream/consumers';

const { Webhook } = createRequire(`${process.cwd()}/`)('standardwebhooks');

function judge({ secret, id, at, body, headers }) {
  const webhook = new Webhook(secret);
  const signature = webhook.sign(id, new Date(at * 1000), body);
  try {
    return { signature, verified: webhook.verify(body, headers), error: null };
  } catch (error) {
    return { signature, verified: null, error: error.message };
  }
}

console.log(JSON.stringify((await json(process.stdin)).map(judge)));
