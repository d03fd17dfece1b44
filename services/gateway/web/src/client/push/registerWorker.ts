/** Registers the client's service worker. */

const WORKER = '/service-worker.js';

/** The page's policy lets scripts be named only by what a policy has made. */
interface ScriptUrls {
  createPolicy(
    name: string,
    rules: { createScriptURL: () => string },
  ): { createScriptURL(of: string): string };
}

/** Rejects where the browser refuses it, and while the page is served for development. */
export async function registerWorker(): Promise<void> {
  if (!import.meta.env.PROD) throw new Error('Only a built client has a service worker.');
  await navigator.serviceWorker.register(workerUrl(), { updateViaCache: 'none' });
}

/** A policy can be made once. */
let url: string | null = null;

function workerUrl(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: ScriptUrls };
  url ??= trustedTypes
    ? trustedTypes.createPolicy('messenger-worker', { createScriptURL: () => WORKER }).createScriptURL(WORKER)
    : WORKER;
  return url;
}
