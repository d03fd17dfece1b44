/** Receives the messenger's webhook at /messenger-webhook. */

import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { type Event, take } from './inbox';

export async function POST(request: Request): Promise<Response> {
  // The body is signed as it came, so nothing may parse it before.
  const event = verified(await request.text(), Object.fromEntries(request.headers));
  if (!event) return new Response(null, { status: 401 });
  take(request.headers.get('webhook-id') ?? '', event);
  return new Response(null, { status: 204 });
}

/** Null if no secret has signed this, or if it is more than five minutes old. */
function verified(body: string, headers: Record<string, string>): Event | null {
  // There are two while they change, with a space between them.
  for (const secret of (process.env.WEBHOOK_SECRETS ?? '').split(' ').filter(Boolean)) {
    try {
      return new Webhook(secret).verify(body, headers) as Event;
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error;
    }
  }
  return null;
}
