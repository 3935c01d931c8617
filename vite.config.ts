import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';
import { compress } from './frontend/build/compress.ts';
import { page } from './frontend/build/page.ts';

/** Where `make dev` runs the Go server; the browser talks to Vite only. */
const server = 'http://127.0.0.1:8080';

export default defineConfig({
  root: 'frontend',
  cacheDir: '../node_modules/.vite',
  plugins: [
    paraglideVitePlugin({
      project: './frontend/project.inlang',
      outdir: './frontend/src/paraglide',
      strategy: ['baseLocale'],
    }),
    svelte(),
    svelteTesting({ autoCleanup: false }),
    page(),
    compress(),
  ],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The policy is script-src 'self': nothing may be inlined, not even a small picture.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      preserveEntrySignatures: 'allow-extension',
      output: {
        codeSplitting: {
          groups: [
            // What the first screen needs is one script and one stylesheet, not those and what it shares with others.
            { name: 'start', tags: ['$initial'], priority: 2 },
            // What later screens share is one more, not thirty of a sentence each.
            { name: 'shared', minShareCount: 2, priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    strictPort: true,
    // The server compares Origin with its public URL: let it see its own.
    proxy: { '/api': { target: server, changeOrigin: true, headers: { origin: server } } },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/testing/setup.ts'],
    restoreMocks: true,
    testTimeout: 30_000,
    // The screens are loaded once and not for each file; `open` forgets what a page would forget on a reload.
    isolate: false,
    env: { TZ: 'UTC' },
  },
});
