/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** The backend node: sweeps come back though Redis is emptied or killed; the first account is set up once; the demo finds its sandbox. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBackend } from '../backend/server.ts'
import { runSweeps } from '../backend/queue.ts'
import { Secret } from '../infra/config.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { startMessaging } from '../messaging/server.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import { createToken, setup } from '../web/setup.ts'
import { openSite } from './web-site.ts'
import type { Site } from './web-site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function until(check: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error('it did not come true')
    await sleep(50)
  }
}

describe('sweeps', () => {
  let redis: ChildProcess
  let folder: string
  let port: number
  const startRedis = async () => {
    redis = spawn(
      join(folder, 'redis-server'),
      [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        folder,
        '--save',
        '',
        '--maxmemory-policy',
        'noeviction',
      ],
      { stdio: 'ignore' },
    )
    await until(
      () =>
        new Promise<boolean>((resolve) => {
          const socket = connect(port, '127.0.0.1', () => {
            socket.destroy()
            resolve(true)
          })
          socket.on('error', () => {
            resolve(false)
          })
        }),
    )
  }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-redis-'))
    // The Debian package redis-tools holds the whole server under the name of its checker.
    await symlink('/usr/bin/redis-check-rdb', join(folder, 'redis-server'))
    port = await freePort()
    await startRedis()
  })
  afterAll(async () => {
    redis.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })

  it('run on one of the nodes, and go on after Redis was emptied, killed, or a node died', async () => {
    const config = { ...site.config, redisUrl: new Secret(`redis://127.0.0.1:${String(port)}`) }
    const ran: string[] = []
    const start = (name: string) =>
      runSweeps(config, silentLogger, 'maintenance', [
        {
          name: 'tick',
          everyMs: 300,
          work: async () => {
            ran.push(name)
            await Promise.resolve()
          },
        },
      ])
    const one = start('one')
    const two = start('two')
    await until(() => ran.length >= 4)
    // Not once per node: a tick belongs to whoever takes it.
    const count = ran.length
    await sleep(1_500)
    expect(ran.length - count).toBeLessThanOrEqual(7)

    const client = new Redis(port, '127.0.0.1')
    await client.flushall()
    await client.quit()
    const emptied = ran.length
    await until(() => ran.length >= emptied + 3)

    redis.kill('SIGKILL')
    await once(redis, 'exit')
    await sleep(500)
    const killed = ran.length
    await startRedis()
    await until(() => ran.length >= killed + 3)

    await one.stop()
    const stopped = ran.length
    await until(() => ran.length >= stopped + 3)
    expect(ran.slice(stopped + 1).every((name) => name === 'two')).toBe(true)
    await two.stop()
  }, 60_000)

  it('remove expired sessions and old idempotency keys', async () => {
    const old = new Date(Date.now() - 5 * 24 * 60 * 60 * 1000)
    await site.storage.write(async (tx) => {
      await tx.insertMany(
        'sessions',
        ['id_hash', 'data', 'created_at', 'seen_at', 'expires_at'],
        Array.from({ length: 1_100 }, (_, index) => [Buffer.alloc(32, `old ${String(index)} `), '{}', old, old, old]),
      )
      await tx.insertMany(
        'sessions',
        ['id_hash', 'data', 'created_at', 'seen_at', 'expires_at'],
        [[Buffer.alloc(32, 'new'), '{}', old, old, new Date(Date.now() + 60_000)]],
      )
      await tx.insertMany(
        'idempotency_keys',
        ['account_id', 'user_id', 'key_hash', 'request_hash', 'effect_id', 'created_at'],
        [
          [site.ana.accountId, site.ana.userId, Buffer.alloc(32, 'old'), Buffer.alloc(32), newId(), old],
          [site.ana.accountId, site.ana.userId, Buffer.alloc(32, 'new'), Buffer.alloc(32), newId(), new Date()],
        ],
      )
    })
    const backend = await startBackend({
      config: { ...site.config, redisUrl: new Secret(`redis://127.0.0.1:${String(port)}`) },
      logger: silentLogger,
      storage: site.storage,
    })
    const count = async (table: string) =>
      (await site.storage.primary.first<{ n: number }>(`select count(*) n from ${table}`))?.n
    await until(async () => (await count('sessions')) === 1 && (await count('idempotency_keys')) === 1)
    await backend.stop()
  }, 30_000)

  it('names a queue that does not exist', () => {
    expect(() =>
      startBackend({
        config: site.config,
        logger: silentLogger,
        storage: site.storage,
        queues: ['maintenance', 'sleep'],
      }),
    ).toThrow(/sleep/)
  })
})

describe('the first account', () => {
  it('is set up once; its password is told once', async () => {
    const config = { ...site.config, admin: { email: 'first@harbour.example', password: undefined } }
    const context = { config, logger: silentLogger, storage: site.storage }
    const node = await site.addNode()
    const first = await setup(context)
    expect(first.password).toMatch(/^\S{20}$/)
    expect(await setup(context)).toEqual({ email: 'first@harbour.example', password: undefined })
    expect(
      (await node.ask(undefined, 'POST', '/session', { email: first.email, password: first.password })).status,
    ).toBe(200)
    const { token } = await createToken(site.storage, first.email)
    expect((await node.ask({ ...site.ana, token }, 'GET', '/session')).json.user).toMatchObject({
      email: first.email,
      role: 'administrator',
    })
    await expect(createToken(site.storage, 'nobody@harbour.example')).rejects.toThrow(/no user/)
  })
})

describe('the demo', () => {
  it('comes alive: people of the sandbox write, once, whatever starts first', async () => {
    const own = await openSite({ PARLEY_LISTEN_PORT: '0' })
    try {
      const sandboxPort = await freePort()
      const webPort = await freePort()
      const config = {
        ...own.config,
        demo: true,
        sandboxUrl: `http://127.0.0.1:${String(sandboxPort)}`,
        networkHosts: [`127.0.0.1:${String(sandboxPort)}`],
        publicUrl: `http://127.0.0.1:${String(webPort)}`,
        admin: { email: 'demo@harbour.example', password: new Secret('lantern lantern') },
        listen: { host: '127.0.0.1', port: webPort },
      }
      const context = { config, logger: silentLogger, storage: own.storage, broker: own.broker }
      await setup(context)
      await setup(context)
      // The backend comes first and waits for the sandbox, then for a web node.
      const backends = await Promise.all([
        startBackend(context),
        startBackend({ ...context, config: { ...config, node: 'backend-2' } }),
      ])
      await sleep(700)
      const sandbox = await startSandbox({
        config: { ...config, listen: { host: '127.0.0.1', port: sandboxPort } },
        logger: silentLogger,
      })
      const messaging = await startMessaging(context)
      await sleep(700)
      const node = await own.addNode(config)
      const { token } = await createToken(own.storage, 'demo@harbour.example')
      const ask = async () => (await node.ask({ ...own.ana, token }, 'GET', '/conversations')).json.items
      await until(async () => (await ask()).length >= 7, 20_000)
      await sleep(1_500)
      const items: { channel: { type: string }; visibility: string; contact: { name: string } }[] = await ask()
      expect(items.length).toBe(7)
      expect(new Set(items.map((item) => `${item.channel.type} ${item.visibility}`))).toEqual(
        new Set(['facebook direct', 'facebook public', 'instagram direct', 'whatsapp direct', 'x direct', 'x public']),
      )
      const messages = (await node.ask({ ...own.ana, token }, 'GET', '/messages?direction=inbound')).json.items
      expect(messages.length).toBe(10)
      // The files of the played networks are fetched as those of the real ones.
      const shown = async (type: string) => {
        const all: {
          hint: string | null
          attachments: { state: string; kind: string; title: string | null; text: string | null; url: string | null }[]
        }[] = (await node.ask({ ...own.ana, token }, 'GET', '/messages?direction=inbound')).json.items
        return all.filter(({ attachments: [first] }) => first?.kind === type)
      }
      await until(async () => (await shown('image'))[0]?.attachments[0]?.state === 'fetched')
      expect((await shown('image'))[0]?.attachments[0]?.url).toMatch(/^\/api\/v1\/attachments\//)
      expect((await shown('location'))[0]?.attachments).toMatchObject([
        { state: 'fetched', title: 'Cacilhas pier', text: 'Largo Alfredo Diniz, Almada', url: null },
      ])
      expect(messages).toEqual(expect.arrayContaining([expect.objectContaining({ hint: 'story' })]))
      await Promise.all(backends.map((backend) => backend.stop()))
      await messaging.stop()
      await sandbox.stop()
    } finally {
      await own.close()
    }
  }, 60_000)
})
