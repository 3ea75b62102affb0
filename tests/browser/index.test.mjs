// The pages of `anp serve` itself: the list of articles, its search, what is not there.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { DESKTOP, PHONE, launch, open } from './support/browser.mjs'
import { is_sound } from './support/checks.mjs'
import { publish } from './support/site.mjs'

const site = await publish({ name: 'Field notes' })
const browser = await launch()
after(async () => { await browser.close(); await site.close() })

const asked = { 'the list': '/_anp/', 'a search': '/_anp/?q=redis', 'a tag': '/_anp/?tag=cron', 'a search in vain': '/_anp/?q=nowhere' }
for (const [name, path] of Object.entries(asked)) {
  for (const [device, viewport] of [['phone', PHONE], ['desktop', DESKTOP]]) {
    for (const scheme of ['light', 'dark']) {
      test(`${name} is sound on a ${device}, ${scheme}`, async () => {
        const page = await open(browser, site, path, { viewport, scheme })
        await is_sound(page)
        await page.close()
      })
    }
  }
}

test('the list names every article, and its links lead to them', async () => {
  const page = await open(browser, site, '/_anp/')
  const links = await page.$$eval('main a[href]', all => all.map(link => link.getAttribute('href')))
  for (const route of site.routes) assert.ok(links.includes(route), route)
  await page.goto(`${site.origin}/only-a-title/`)
  assert.equal(await page.$eval('h1', heading => heading.textContent), 'Only a title')
  await page.close()
})

test('the search works with a keyboard alone', async () => {
  const page = await open(browser, site, '/_anp/', { viewport: PHONE })
  await page.focus('input[type=search]')
  await page.keyboard.type('images that do not load')
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  const links = await page.$$eval('main li a[href^="/"]', all => all.map(link => link.getAttribute('href')))
  assert.deepEqual(links.filter(link => site.routes.includes(link)), ['/broken-images/'])
  assert.deepEqual(page.problems, [])
  await page.close()
})

test('in the sandbox of the policy forms and links lead on', async () => {
  const page = await browser.newPage()
  const answer = await page.goto(`${site.origin}/_anp/`)
  assert.match(answer.headers()['content-security-policy'], /; sandbox .*allow-forms$/)
  // By keys alone: what asks the page for elements would be a script.
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key) }
  const goes = async keys => { await Promise.all([page.waitForNavigation(), press(...keys)]) }
  await press('Tab', 'Tab', 'Tab')
  await page.keyboard.type('only-a-title')
  await goes(['Enter'])
  assert.equal(page.url(), `${site.origin}/_anp/?q=only-a-title&tag=&sort=route`)
  // Skip link, start, search, tag, order, button, all articles, the one that was found.
  await goes([...Array(8).fill('Tab'), 'Enter'])
  assert.equal(page.url(), `${site.origin}/only-a-title/`)
  await page.close()
})

test('a page that is not there says so, as a page', async () => {
  const page = await open(browser, site, '/nowhere/', { viewport: PHONE })
  assert.match(page.problems.join(), /^console: .* 404 /)
  page.problems.length = 0
  await is_sound(page)
  await page.close()
})

test('a browser that asks for an icon, as each does once, reports no error', async () => {
  const fresh = await launch()
  try {
    const page = await fresh.newPage()
    const said = []
    page.on('console', message => said.push(message.text()))
    const icon = page.waitForResponse(response => response.url() === `${site.origin}/favicon.ico`)
    await page.goto(`${site.origin}/only-a-title/`)
    assert.equal((await icon).status(), 204)
    assert.deepEqual(said, [])
  } finally {
    await fresh.close()
  }
})
