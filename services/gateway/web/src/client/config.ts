/** Owns what the gateway tells this client about where it runs. */

export interface Config {
  /** Where a user gets a token, if not from a host page. */
  login_url: string | null;
  /** Pages that may embed the client and hand it tokens. */
  host_origins: string[];
  /** Whether the gateway makes tokens for anybody, as it does in development alone. */
  dev_tokens: boolean;
}

export async function readConfig(): Promise<Config> {
  const response = await fetch('/config.json');
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  return response.json();
}
