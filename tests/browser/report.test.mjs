// The page about a run (`--report`): as sound as the pages of articles, without a server.

import assert from 'node:assert/strict'
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { DESKTOP, PHONE, launch, open } from './support/browser.mjs'
import { is_sound, nothing_is_wider_than_the_screen } from './support/checks.mjs'
import { publish } from './support/site.mjs'

const site = await publish()
const browser = await launch()
const pages = { '/import': await imported(), '/failed': await failed() }
const files = createServer((request, response) => {
  const page = pages[request.url]
  response.writeHead(page ? 200 : 204, { 'content-type': 'text/html; charset=utf-8' })
  response.end(page)
})
await new Promise(resolve => files.listen(0, '127.0.0.1', resolve))
const reports = { origin: `http://127.0.0.1:${files.address().port}` }
after(async () => { await browser.close(); files.close(); await site.close() })

/** The page of an import that updates, adds and misses articles. */
async function imported () {
  const file = join(site.tree, '..', 'import.html')
  await appendFile(join(site.tree, 'only-a-title.md'), '\nA new line, <b>with</b> "signs".\n')
  await writeFile(join(site.tree, `${'long-'.repeat(20)}name.md`), '---\ntitle: Long\nunknwon: 1\n---\n<video src=x></video> Text.\n')
  await rm(join(site.tree, 'broken-images.md'))
  await site.call('import', site.tree, '--drafts', '--owner', 'desk', '--report', file)
  return readFile(file, 'utf8')
}

/** The page of an import that is refused. */
async function failed () {
  const file = join(site.tree, '..', 'failed.html')
  await writeFile(join(site.tree, 'broken.md'), '---\ntitle: [\n---\nText.\n')
  await assert.rejects(site.call('import', site.tree, '--max-invalid', '0', '--report', file))
  return readFile(file, 'utf8')
}

for (const path of Object.keys(pages)) {
  for (const [device, viewport] of [['phone', PHONE], ['desktop', DESKTOP]]) {
    for (const scheme of ['light', 'dark']) {
      test(`the report at ${path} is sound on a ${device}, ${scheme}`, async () => {
        const page = await open(browser, reports, path, { viewport, scheme })
        await page.$$eval('details', all => all.forEach(one => { one.open = true }))
        await is_sound(page)
        await page.close()
      })
    }
  }
}

test('the report of an import shows verdict, charts and differences', async () => {
  const page = await open(browser, reports, '/import')
  const text = selector => page.$$eval(selector, all => all.map(one => one.textContent.trim()))
  assert.match((await text('.result'))[0], /^1 article published, 1 updated, \d+ unchanged/)
  assert.deepEqual(await text('.diff ins'), ['+', '+A new line, **with** "signs".'])
  const bars = await page.$$eval('#actions + table svg rect', all => all.map(bar => bar.getBoundingClientRect().width))
  assert.ok(bars.length >= 3 && Math.max(...bars) > 100, `${bars}`)
  assert.match((await text('#orphans + ul'))[0], /broken-images/)
  await page.close()
})

test('the report prints on paper, with nothing cut off', async () => {
  const page = await open(browser, reports, '/import', { media: 'print', viewport: { width: 700, height: 1000 } })
  await nothing_is_wider_than_the_screen(page)
  assert.equal(await page.$eval('.skip', link => getComputedStyle(link).display), 'none')
  await page.close()
})
