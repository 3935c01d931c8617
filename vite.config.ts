import { resolve } from 'node:path';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import type { PluginOption } from 'vite';
import { defineConfig } from 'vitest/config';
import { compress } from './frontend/build/compress.ts';
import { help } from './frontend/build/help.ts';
import { page } from './frontend/build/page.ts';
import { pseudoProject } from './frontend/build/pseudo.ts';

/** Where `make dev` runs the Go server; the browser talks to Vite only. */
const server = 'http://127.0.0.1:8080';

/** Where `--mode pseudo` has its words and what it makes of them: a front end for the tests, never shipped. */
const pseudo = resolve('.cache/pseudo');

export default defineConfig(({ mode }) => ({
  root: 'frontend',
  cacheDir: '../node_modules/.vite',
  plugins: [
    ...words(mode === 'pseudo'),
    svelte(),
    svelteTesting({ autoCleanup: false }),
    help(),
    ...(mode === 'pseudo' ? [] : [compress()]),
  ],
  ...(mode === 'pseudo' && {
    resolve: { alias: [{ find: /^\.[./]*\/paraglide\/(?=messages$|runtime$)/, replacement: `${pseudo}/paraglide/` }] },
  }),
  build: {
    outDir: mode === 'pseudo' ? `${pseudo}/dist` : 'dist',
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
            // What later screens share is one more, not thirty of a sentence each; but for what draws pictures to scan,
            // which few of them want.
            { name: 'shared', minShareCount: 2, test: /^(?!.*(\/uqr\/|QrCode|Enlarged))/, priority: 1 },
            { name: 'qr', test: /\/uqr\/|QrCode|Enlarged/, priority: 0 },
            // Screens that go together, and the small ones around a sign-in: each file of its own would cost the first screen another name.
            { name: 'tickets', test: /\/screens\/(tickets\/|recovery\/Decide)/ },
            {
              name: 'steps',
              test: /\/screens\/(signin|recovery\/Mailed|forgotten|email\/(ConfirmEmail|Stop)|join|setup)/,
            },
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
    proxy: {
      '/api': { target: server, changeOrigin: true, headers: { origin: server } },
      '/help': { target: server, changeOrigin: true, headers: { origin: server } },
    },
  },
  test: {
    environment: 'happy-dom',
    // The network's edge is the tests' own, and no stylesheet matters to them.
    environmentOptions: {
      happyDOM: { settings: { disableCSSFileLoading: true, handleDisabledFileLoadingAsSuccess: true } },
    },
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/testing/setup.ts'],
    restoreMocks: true,
    testTimeout: 120_000,
    // The screens are loaded once and not for each file; `open` forgets what a page would forget on a reload.
    isolate: false,
    env: { TZ: 'UTC' },
  },
}));

/** The catalogues, for the screens and for the page; which of them a person reads is for src/locale.ts to say. */
function words(pseudoToo: boolean): PluginOption[] {
  const project = pseudoToo ? pseudoProject('frontend', pseudo) : resolve('frontend/project.inlang');
  const outdir = pseudoToo ? `${pseudo}/paraglide` : './frontend/src/paraglide';
  return [paraglideVitePlugin({ project, outdir, strategy: ['baseLocale'] }), page(project)];
}
