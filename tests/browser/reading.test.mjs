// Reading with a keyboard, with larger letters, and from right to left.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { DESKTOP, PHONE, launch, open } from './support/browser.mjs'
import { publish } from './support/site.mjs'

const site = await publish({ name: 'Field notes' })
const browser = await launch()
after(async () => { await browser.close(); await site.close() })

test('the first Tab shows the skip link, and Enter goes to the article', async () => {
  const page = await open(browser, site, '/everything/', { viewport: PHONE })
  const skip = () => page.$eval('.skip', link => {
    const { left, top, right, bottom } = link.getBoundingClientRect()
    return { focused: document.activeElement === link, seen: left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight }
  })
  assert.deepEqual(await skip(), { focused: false, seen: false })
  await page.keyboard.press('Tab')
  assert.deepEqual(await skip(), { focused: true, seen: true })
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement.localName), 'main')
  assert.equal(await page.evaluate(() => location.hash), '#content')
  await page.keyboard.press('Tab')
  assert.ok(await page.evaluate(() => document.querySelector('main').contains(document.activeElement)))
  assert.deepEqual(page.problems, [])
  await page.close()
})

test('whatever has the focus shows it, and what scrolls sideways can have it', async () => {
  const page = await open(browser, site, '/words/', { viewport: PHONE })
  const wide = await page.$$eval('body *', all => all
    .filter(node => getComputedStyle(node).overflowX === 'auto' && node.scrollWidth > node.clientWidth)
    .map(node => node.tabIndex))
  assert.ok(wide.length >= 2)
  assert.ok(wide.every(index => index === 0), `${wide}`)
  const stops = await page.$$eval('a, [tabindex="0"], summary', all => all.length)
  for (let stop = 0; stop < stops; stop++) {
    await page.keyboard.press('Tab')
    const [name, width] = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
      return [document.activeElement.outerHTML.slice(0, 60), outlineStyle === 'none' ? 0 : parseFloat(outlineWidth)]
    })
    assert.ok(width >= 2, `${name}: ${width} px of outline`)
  }
  await page.close()
})

for (const route of site.routes) {
  test(`${route} can be read with letters twice as large, and on 320 pixels`, async () => {
    const page = await open(browser, site, route, { viewport: { width: 640, height: 900 } })
    const overhang = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    const before = await page.$eval('h1', heading => parseFloat(getComputedStyle(heading).fontSize))
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%' })
    const after = await page.$eval('h1', heading => parseFloat(getComputedStyle(heading).fontSize))
    assert.ok(after > before * 1.5, `${before} px, then ${after} px`)
    assert.ok(await overhang() <= 0, `${await overhang()} px hang over`)
    await page.evaluate(() => { document.documentElement.style.fontSize = '' })
    await page.setViewport({ width: 320, height: 640 })
    assert.ok(await overhang() <= 0, `${await overhang()} px hang over`)
    await page.close()
  })
}

/** At which edge of an element the last line of its text stands. */
const side = (page, selector) => page.$eval(selector, node => {
  const range = document.createRange()
  range.selectNodeContents(node)
  // Where directions mix, a line is of several pieces.
  const pieces = [...range.getClientRects()].filter(({ width }) => width)
  const foot = Math.max(...pieces.map(({ bottom }) => bottom))
  const line = pieces.filter(({ bottom, height }) => bottom > foot - height / 2)
  const frame = node.getBoundingClientRect()
  const left = Math.min(...line.map(({ left }) => left)) - frame.left
  const right = frame.right - Math.max(...line.map(({ right }) => right))
  return left < right ? 'left' : 'right'
})

test('an article from right to left has its lists, tables and quotes that way round', async () => {
  const page = await open(browser, site, '/arabic/', { viewport: DESKTOP })
  const article = 'article > div >'
  for (const selector of ['.topic', 'h1', '.lead', `${article} p`, `${article} h2`, `${article} ol > li:nth-child(3)`, 'td:last-child']) {
    assert.equal(await side(page, selector), 'right', selector)
  }
  assert.equal(await side(page, `${article} p:nth-of-type(2)`), 'left', 'a paragraph in English')
  assert.equal(await page.$eval('pre', code => getComputedStyle(code).direction), 'ltr')
  const [first, last] = await page.$$eval('thead th', cells => [cells[0], cells.at(-1)].map(cell => cell.getBoundingClientRect().left))
  assert.ok(first > last, 'the first column is at the right')
  const [left, right] = await page.$eval('blockquote', quote => {
    const { borderLeftWidth, borderRightWidth } = getComputedStyle(quote)
    return [borderLeftWidth, borderRightWidth]
  })
  assert.deepEqual([left, right], ['0px', '3px'])
  await page.close()
})

test('the metadata of an article from right to left has its lists that way round', async () => {
  const page = await open(browser, site, '/arabic/', { viewport: PHONE })
  // The labels within a group are in English whatever the article is in.
  const directions = await page.$$eval('aside ul:not(:has(dl))', lists => lists.map(list => getComputedStyle(list).direction))
  assert.equal(directions.length, 3)
  assert.ok(directions.every(direction => direction === 'rtl'), `${directions}`)
  await page.close()
})

test('each kind of alert is named, and stands out from a quote', async () => {
  const page = await open(browser, site, '/everything/')
  const kinds = await page.$$eval('.alert > .kind', all => all.map(kind => kind.textContent))
  assert.deepEqual(kinds, ['Note', 'Tip', 'Important', 'Warning', 'Caution'])
  const [quote, alert] = await page.evaluate(() => ['blockquote:not(.alert)', '.alert']
    .map(selector => getComputedStyle(document.querySelector(selector)).borderLeftColor))
  assert.notEqual(quote, alert)
  await page.close()
})

test('an article from left to right is left as it is', async () => {
  const page = await open(browser, site, '/everything/')
  for (const selector of ['h1', 'article > div > p', 'blockquote > p']) assert.equal(await side(page, selector), 'left', selector)
  await page.close()
})

test('a page without metadata has no empty boxes', async () => {
  const page = await open(browser, site, '/only-a-title/')
  const empty = await page.$$eval('body *', all => all
    .filter(node => !node.textContent.trim() && node.localName !== 'div').map(node => node.outerHTML))
  assert.deepEqual(empty, [])
  assert.equal(await page.$('aside'), null)
  assert.equal(await page.$('ul'), null)
  await page.close()
})

test('an image that does not load leaves its words, and its caption', async () => {
  const page = await open(browser, site, '/broken-images/', { viewport: PHONE })
  const broken = await page.$$eval('img', all => all.filter(image => !image.naturalWidth && image.alt).map(image => {
    const { width, height } = image.getBoundingClientRect()
    return [image.alt, width > 20 && height > 10]
  }))
  assert.ok(broken.length >= 8, `${broken.length}`)
  for (const [words, seen] of broken) assert.ok(seen, words)
  const loaded = await page.$$eval('img', all => all.filter(image => image.naturalWidth).length)
  assert.equal(loaded, 2)
  await page.close()
})
