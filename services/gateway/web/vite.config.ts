/** Configures the build of the client and the test runner. */

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const GATEWAY = process.env.MESSENGER_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@messenger/react': new URL('src/lib/index.ts', import.meta.url).pathname } },
  build: {
    // The gateway serves the client, so the build goes into the gateway's package.
    outDir: '../src/gateway/client',
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL would have to be allowed by the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': { target: GATEWAY, ws: true }, '/config.json': GATEWAY } },
  test: { include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'], restoreMocks: true, unstubGlobals: true },
});
