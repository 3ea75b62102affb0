// Lists, and the similar posts below an article.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'

import { DESKTOP, PHONE, launch, open } from './support/browser.mjs'
import { is_sound } from './support/checks.mjs'
import { publish } from './support/site.mjs'

const settings = `archive:
  similar: 4
  lists: {home: true, folders: true, fields: [tags, tools], per_page: 4}
  feeds: {count: 20}
  sitemap: true
  redirects: true
`

const article = (title, date, tags) =>
  `---\ntitle: ${JSON.stringify(title)}\ndate: ${date}\ntags: ${JSON.stringify(tags)}\ntools: [redis-cli]\n---\n\nText about ${tags[0]}.\n`

const ARABIC = 'ذاكرة مؤقتة'
const MIXED = `A warm-up at night, or ${ARABIC}`
const articles = {
  'night/first.md': article('The first night', '2025-01-01', ['cron', 'nightly jobs']),
  'night/arabic.md': article(`${ARABIC}: ما الذي يجب أن تتحمله`, '2025-01-02', ['cron', ARABIC]),
  'night/mixed.md': article(MIXED, '2025-01-03', ['cron', `tag ${ARABIC}`]),
  'night/deep/newest.md': article('The newest night', '2025-01-04', ['cron', 'nightly jobs', ARABIC]),
  'night/another.md': article('Another night', '2025-01-05', ['cron', 'nightly jobs']),
  '_index.md': '---\ntitle: Notes from the archive\nsummary: All that was written.\n---\n\n## What this is\n\nNotes.\n'
}

const site = await publish({ name: 'Field notes', settings, articles })
const browser = await launch()
after(async () => { await browser.close(); await site.close() })

const KINDS = {
  'the front page': '/',
  'a numbered page': '/page/2/',
  'the list of a folder': '/night/',
  'the values of a field': '/tags/',
  'the list of a value': '/tags/cron/',
  'an article with similar posts': '/night/deep/newest/'
}

for (const [name, route] of Object.entries(KINDS)) {
  for (const [device, viewport] of [['phone', PHONE], ['desktop', DESKTOP]]) {
    for (const scheme of ['light', 'dark']) {
      test(`${name} is sound on a ${device}, ${scheme}`, async () => {
        const page = await open(browser, site, route, { viewport, scheme })
        await is_sound(page)
        await page.close()
      })
    }
  }

  test(`${name} can be read with letters twice as large, and on 320 pixels`, async () => {
    const page = await open(browser, site, route, { viewport: { width: 640, height: 900 } })
    const overhang = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%' })
    assert.ok(await overhang() <= 0, `${await overhang()} px hang over`)
    await page.evaluate(() => { document.documentElement.style.fontSize = '' })
    await page.setViewport({ width: 320, height: 640 })
    assert.ok(await overhang() <= 0, `${await overhang()} px hang over`)
    await page.close()
  })

  test(`${name} has one style, which is the one that its policy allows`, async () => {
    const answer = await fetch(site.origin + route)
    const html = await answer.text()
    const styles = [...html.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style]) => style)
    assert.equal(styles.length, 1)
    assert.doesNotMatch(html, /<style [^>]*>|<[^>]+ style="|<[^>]+ on[a-z]+="/)
    const hash = createHash('sha256').update(styles[0]).digest('base64')
    const policy = answer.headers.get('content-security-policy')
    assert.ok(policy.startsWith(`default-src 'none'; style-src 'sha256-${hash}'; img-src`), policy)
  })

  test(`${name} prints whole, without what only leads elsewhere`, async () => {
    // A4 less margins, at 96 pixels an inch.
    const page = await open(browser, site, route, { viewport: { width: 718, height: 1047 }, media: 'print' })
    const shown = selectors => page.$$eval(selectors, all => all.filter(node => node.getClientRects().length).length)
    assert.equal(await shown('.crumbs, .pages, .skip, header.site'), 0)
    assert.ok(await shown('h1') === 1 && await shown('main a') > 0)
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
    await page.close()
  })
}

/** Where the links of a page lead, those in texts of articles left out. */
const LINKS = ['head link', '.crumbs a', '.pages a', '.below a', '.facts a', '.list a', '.similar a', 'aside a', '.site a'].join()

test('every link of lists, tags, feeds and similar posts leads somewhere, and to every page', async () => {
  const page = await browser.newPage()
  const links = html => page.evaluate((html, selectors) => {
    const parsed = new DOMParser().parseFromString(html, 'text/html')
    return [...parsed.querySelectorAll(selectors)].map(link => link.getAttribute('href'))
  }, html, LINKS)
  const waiting = ['/']
  const seen = new Set(waiting)
  const dead = []
  while (waiting.length) {
    const path = waiting.pop()
    const answer = await fetch(site.origin + path, { redirect: 'manual' })
    if (answer.status !== 200) dead.push(`${path}: ${answer.status}`)
    const text = await answer.text()
    if (!answer.headers.get('content-type').startsWith('text/html')) continue
    for (const link of await links(text)) {
      const { origin, pathname } = new URL(link, 'https://example.org')
      if (origin !== 'https://example.org' || seen.has(pathname)) continue
      seen.add(pathname)
      waiting.push(pathname)
    }
  }
  assert.deepEqual(dead, [])
  for (const route of site.routes.filter(route => !seen.has(new URL(route, site.origin).pathname))) {
    assert.match((await site.meta(route)).robots, /^noindex/, `nothing links to ${route}`)
  }
  assert.ok(seen.has('/feed.xml') && seen.has('/page/1/') && seen.has('/tags/cron/'), `${[...seen]}`)
  await page.close()
})

test('from the newest articles one pages to the oldest, and back', async () => {
  const page = await open(browser, site, '/')
  const follow = async selector => {
    const link = await page.$(selector)
    if (link) await Promise.all([page.waitForNavigation(), link.click()])
    return link !== null
  }
  const paths = []
  do paths.push(new URL(page.url()).pathname); while (await follow('.pages [rel=next]'))
  const numbers = paths.slice(1).map(path => Number(/^\/page\/(\d+)\/$/.exec(path)[1]))
  assert.deepEqual(numbers, Array.from(numbers, (_, index) => numbers.length - index))
  assert.ok(numbers.length >= 3, `${paths}`)
  while (await follow('.pages [rel=prev]'));
  assert.notEqual(new URL(page.url()).pathname, '/page/1/')
  assert.deepEqual(page.problems, [])
  await page.close()
})

/**
 * How the link of the element with this `text` stands to `other` in it, on the same line: 'before' to its left,
 * 'after' to its right, 'around' if parts of it are on either side.
 */
const order = (page, selector, other, text) => page.$$eval(selector, (all, other, text) => {
  const node = all.find(node => node.textContent.includes(text))
  const link = node.querySelector('a')
  const range = document.createRange()
  range.selectNodeContents(link)
  const date = node.querySelector(other).getBoundingClientRect()
  const beside = [...range.getClientRects()].filter(({ top, bottom, width }) =>
    width && top < date.bottom && bottom > date.top)
  const sides = new Set(beside.map(({ right }) => right <= date.left + 1 ? 'before' : 'after'))
  return sides.size > 1 ? 'around' : [...sides][0]
}, other, text)

test('a title from right to left stays in one piece among the similar posts', async () => {
  const page = await open(browser, site, '/night/deep/newest/')
  const titles = await page.$$eval('.similar a', all => all.map(link => link.textContent))
  assert.equal(titles.length, 4)
  assert.ok(titles.some(title => title.startsWith(ARABIC)) && titles.includes(MIXED), `${titles}`)
  assert.equal(await order(page, '.similar li', 'time', 'The first night'), 'before')
  assert.equal(await order(page, '.similar li', 'time', MIXED), 'before')
  assert.equal(await order(page, '.similar li', 'time', `${ARABIC}: `), 'after')
  await page.close()
})

test('a value from right to left stays in one piece beside its number', async () => {
  const page = await open(browser, site, '/tags/')
  assert.equal(await order(page, '.below li', 'small', 'nightly jobs'), 'before')
  assert.equal(await order(page, '.below li', 'small', `tag ${ARABIC}`), 'before')
  assert.equal(await order(page, '.below li', 'small', `${ARABIC} 2`), 'after')
  await page.close()
})

test('each article of a list has the direction of its title', async () => {
  const page = await open(browser, site, '/night/', { viewport: DESKTOP })
  const items = await page.$$eval('.list > li', all => all.map(item => {
    const range = document.createRange()
    range.selectNodeContents(item.querySelector('h2'))
    const [line, frame] = [range.getBoundingClientRect(), item.getBoundingClientRect()]
    const time = item.querySelector('time').getBoundingClientRect()
    const side = ({ left, right }) => left - frame.left < frame.right - right ? 'left' : 'right'
    return [item.querySelector('h2').textContent, side(line), side(time)]
  }))
  for (const [title, ...sides] of items) {
    const side = title.startsWith(ARABIC) ? 'right' : 'left'
    assert.deepEqual(sides, [side, side], title)
  }
  assert.ok(items.some(([title]) => title.startsWith(ARABIC)) && items.some(([title]) => title === MIXED))
  await page.close()
})

test('a list is found by a keyboard: the skip link goes to it, then its first article', async () => {
  const page = await open(browser, site, '/night/', { viewport: PHONE })
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement.localName), 'main')
  const links = await page.$$eval('main a', all => all.length)
  const seen = []
  for (let stop = 0; stop < links; stop++) {
    await page.keyboard.press('Tab')
    seen.push(await page.evaluate(() => document.activeElement.getAttribute('href')))
  }
  const shown = await page.$$eval('main a', all => all.map(link => link.getAttribute('href')))
  assert.deepEqual(seen, shown)
  await page.close()
})
