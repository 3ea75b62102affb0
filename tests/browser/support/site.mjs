// A published site: the articles, imported by the real binary into a server of its own.

import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { generated } from './articles.mjs'

const run = promisify(execFile)
const ROOT = new URL('../../../', import.meta.url).pathname
const ANP = process.env.ANP ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'release/anp')

const BASE = "default-src 'none'; img-src 'self' https: http: data:; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; "

/**
 * Imports `content` (a folder; without one, the articles of these tests) and serves what the
 * store then holds. `name` is the site's name; empty for none.
 */
export async function publish ({ content, name = '', anp = ANP } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'anp-browser-'))
  const closing = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => { for (const step of closing.reverse()) await step() }
  try {
    const tree = join(folder, 'content')
    await mkdir(tree)
    await cp(content ?? new URL('../articles', import.meta.url).pathname, tree, { recursive: true })
    if (!content) {
      for (const [file, text] of Object.entries(generated())) await writeFile(join(tree, file), text)
    }
    const redis = await startRedis(folder, closing)
    // Nothing of the caller's own settings: a file without any, and an environment without ANP_….
    await writeFile(join(folder, 'anp.yaml'), 'redis: embedded\n')
    const env = { PATH: process.env.PATH, HOME: folder, ANP_SITE_NAME: name, ANP_SITE_URL: name && 'https://example.org' }
    if (process.env.TEMPLATES) env.ANP_TEMPLATES = process.env.TEMPLATES
    const call = async (command, ...rest) => {
      const words = [command, ...rest, '--config', join(folder, 'anp.yaml'), '--redis', redis, '--state-dir', join(folder, 'state')]
      return (await run(anp, words, { env, cwd: folder, maxBuffer: 1 << 28 })).stdout
    }
    const imported = await call('import', tree, '--drafts', '--format', 'json')
    const lines = imported.trim().split('\n').map(line => JSON.parse(line))
    const refused = lines.filter(line => line.type === 'diagnostic' && line.severity === 'error')
    if (refused.length) throw new Error(`articles were refused: ${JSON.stringify(refused)}`)
    const routes = lines.filter(line => line.type === 'key' && line.key.startsWith('anp:page:'))
      .map(line => line.key.slice('anp:page:'.length)).sort()
    const page = route => call('show', route, '--page')
    const meta = async route => JSON.parse(await call('show', route, '--meta'))
    const origin = await serve({ routes, page }, closing)
    return { origin, routes, page, meta, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startRedis (folder, closing) {
  const socket = join(folder, 'redis.sock')
  const names = ['redis-server', 'valkey-server']
  for (const name of names) {
    const server = spawn(name, ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'no'],
      { stdio: 'ignore' })
    const ended = new Promise(resolve => { server.once('exit', resolve); server.once('error', resolve) })
    const listens = async () => {
      while (server.exitCode === null && server.pid) {
        if (await answers(socket)) return true
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      return false
    }
    if (await listens()) {
      closing.push(async () => { server.kill(); await ended })
      return `redis+unix://${socket}`
    }
    await ended
  }
  throw new Error(`expected one of ${names.join(', ')} on the PATH that starts`)
}

const answers = socket => new Promise(resolve => {
  const connection = connect(socket)
  connection.once('connect', () => { connection.destroy(); resolve(true) })
  connection.once('error', () => resolve(false))
})

/** The one place that knows how the stored pages reach the browser. */
async function serve ({ routes, page }, closing) {
  const server = createServer(async (request, response) => {
    const route = decodeURIComponent(new URL(request.url, 'http://localhost').pathname)
    if (!routes.includes(route)) return response.writeHead(404).end()
    const html = await page(route)
    const styles = [...html.matchAll(/<style>([^]*?)<\/style>/g)]
      .map(([, text]) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `${BASE}style-src ${styles.join(' ') || "'none'"}`
    }).end(html)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise(resolve => { server.close(resolve); server.closeAllConnections() }))
  return `http://127.0.0.1:${server.address().port}`
}
