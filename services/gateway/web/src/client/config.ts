/** Reads the settings that the gateway gives to this client. */

export interface Config {
  /** The login page that gives a user a token, for a client that is not embedded. */
  login_url: string | null;
  /** Origins of the pages that may embed the client and give it tokens. */
  host_origins: string[];
  /** Whether the gateway makes tokens for any user, which it does only in development. */
  dev_tokens: boolean;
}

const LIMIT_MS = 15_000;

export async function readConfig(): Promise<Config> {
  const response = await fetch('/config.json', { signal: AbortSignal.timeout(LIMIT_MS) });
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  return response.json();
}
