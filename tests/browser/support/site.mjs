// A published site: the articles, imported by the real binary into a server of its own.

import { execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { generated } from './articles.mjs'

const run = promisify(execFile)
const ROOT = new URL('../../../', import.meta.url).pathname
export const ANP = process.env.ANP ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'release/anp')

/**
 * Imports `content` (a folder; without one, the articles of these tests) and serves what the
 * store then holds. `name` is the site's name; empty for none. `settings` are further lines of
 * anp.yaml, `articles` further articles: file name → text.
 */
export async function publish ({ content, name = '', anp = ANP, settings: further = '', articles = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'anp-browser-'))
  const closing = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => { for (const step of closing.reverse()) await step() }
  try {
    const tree = join(folder, 'content')
    await mkdir(tree)
    await cp(content ?? new URL('../articles', import.meta.url).pathname, tree, { recursive: true })
    for (const [file, text] of Object.entries({ ...(content ? {} : generated()), ...articles })) {
      await mkdir(dirname(join(tree, file)), { recursive: true })
      await writeFile(join(tree, file), text)
    }
    const redis = await startRedis(folder, closing)
    // Nothing of the caller's own settings: a file without any, and an environment without ANP_….
    await writeFile(join(folder, 'anp.yaml'), `redis: embedded\n${further}`)
    const env = { PATH: process.env.PATH, HOME: folder, ANP_SITE_NAME: name, ANP_SITE_URL: name && 'https://example.org' }
    if (process.env.TEMPLATES) env.ANP_TEMPLATES = process.env.TEMPLATES
    const settings = ['--config', join(folder, 'anp.yaml'), '--redis', redis, '--state-dir', join(folder, 'state')]
    const options = { env, cwd: folder, maxBuffer: 1 << 28 }
    const call = async (...words) => (await run(anp, [...words, ...settings], options)).stdout
    const imported = await call('import', tree, '--drafts', '--format', 'json')
    const lines = imported.trim().split('\n').map(line => JSON.parse(line))
    const refused = lines.filter(line => line.type === 'diagnostic' && line.severity === 'error')
    if (refused.length) throw new Error(`articles were refused: ${JSON.stringify(refused)}`)
    const routes = lines.filter(line => line.type === 'key' && line.key.startsWith('anp:page:'))
      .map(line => line.key.slice('anp:page:'.length)).sort()
    const meta = async route => JSON.parse(await call('show', route, '--meta'))
    const origin = await serve(anp, settings, options, closing)
    return { origin, routes, meta, tree, call, close }
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

/** Serves what the store holds with `anp serve`; resolves to where. */
async function serve (anp, words, options, closing) {
  const server = spawn(anp, ['serve', '--addr', '127.0.0.1:0', '--format', 'json', ...words],
    { ...options, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise(resolve => { server.once('exit', resolve); server.once('error', resolve) })
  closing.push(async () => { server.kill(); await ended })
  let said = ''
  const ready = new Promise(resolve => server.stdout.on('data', data => {
    said += data
    if (said.includes('\n')) resolve(new URL(JSON.parse(said).url).origin)
  }))
  const origin = await Promise.race([ready, ended.then(() => null)])
  if (!origin) throw new Error('expected anp serve to say where it serves, but it ended')
  return origin
}
