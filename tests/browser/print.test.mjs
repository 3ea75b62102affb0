// What comes out of a printer.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { launch, open } from './support/browser.mjs'
import { publish } from './support/site.mjs'

const site = await publish({ name: 'Field notes' })
const browser = await launch()
after(async () => { await browser.close(); await site.close() })

// A4 less margins, at 96 pixels an inch.
const PAPER = { width: 718, height: 1047 }

for (const route of site.routes) {
  for (const scheme of ['light', 'dark']) {
    test(`${route} prints whole, on white, also from a ${scheme} screen`, async () => {
      const page = await open(browser, site, route, { viewport: PAPER, scheme, media: 'print' })
      const found = await page.evaluate(() => {
        const style = node => getComputedStyle(node)
        const cut = [...document.querySelectorAll('pre, .scroll, body *')].filter(node => {
          const { left, right } = node.getBoundingClientRect()
          const scrolls = style(node).overflowX !== 'visible' && node.scrollWidth > node.clientWidth + 1
          return (scrolls || right > innerWidth + 1 || left < -1) && style(node).display !== 'none'
        })
        return {
          cut: cut.map(node => `${node.localName} ${node.textContent.slice(0, 40)}`),
          hidden: ['.skip', 'header.site'].map(selector => style(document.querySelector(selector)).display),
          paper: style(document.body).backgroundColor,
          ink: style(document.body).color,
          dim: style(document.querySelector('footer')).color
        }
      })
      assert.deepEqual(found.cut, [])
      assert.deepEqual(found.hidden, ['none', 'none'])
      assert.equal(found.paper, 'rgb(255, 255, 255)')
      for (const colour of [found.ink, found.dim]) {
        const lightest = Math.max(...colour.match(/\d+/g).map(Number))
        assert.ok(lightest < 128, `${colour} on white`)
      }
      await page.close()
    })
  }
}

test('a printed page tells where its links lead, those within the page left out', async () => {
  const page = await open(browser, site, '/everything/', { viewport: PAPER, media: 'print' })
  const links = await page.$$eval('article a', all => all.map(link =>
    [link.getAttribute('href'), getComputedStyle(link, '::after').content]))
  const [outside, within] = [true, false].map(is_outside => links.filter(([href]) => href.startsWith('http') === is_outside))
  assert.ok(outside.length && within.length)
  for (const [href, after] of outside) assert.equal(after, `" (${href})"`)
  for (const [, after] of within) assert.equal(after, 'none')
  await page.close()
})

test('the longest article can be printed', async () => {
  const page = await open(browser, site, '/longest/')
  const pdf = await page.pdf({ format: 'A4' })
  const sheets = Buffer.from(pdf).toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0
  assert.ok(sheets > 20, `${sheets} sheets`)
  await page.close()
})
