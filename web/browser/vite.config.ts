import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** For `vite web/browser`: pages from here, answers from a running web node. */
const node = 'http://127.0.0.1:8080'

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2024',
    // The content security policy refuses inlined scripts, and Apache serves and compresses files well.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Measured compressed: about 220 kB.
    chunkSizeWarningLimit: 1_000,
  },
  server: { proxy: { '/api/': node, '/sandbox/': node, '/health/': node } },
})
