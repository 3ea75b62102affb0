// What every page has to stand, whoever wrote it.

import assert from 'node:assert/strict'

import axe from 'axe-core'

/** All of the checks below. */
export async function is_sound (page) {
  await nothing_goes_wrong(page)
  await nothing_is_wider_than_the_screen(page)
  await headings_are_in_order(page)
  await axe_is_content(page)
}

export async function nothing_goes_wrong (page) {
  assert.deepEqual(page.problems, [])
  assert.equal(await page.evaluate(() => document.compatMode), 'CSS1Compat')
  // The policy lets the style sheet through: without it, text would be in the browser's serif.
  assert.match(await page.evaluate(() => getComputedStyle(document.body).fontFamily), /^system-ui/)
}

export async function nothing_is_wider_than_the_screen (page) {
  const [page_width, screen_width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  assert.ok(page_width <= screen_width, `${page_width} px of page on ${screen_width} px`)
}

export async function headings_are_in_order (page) {
  const levels = await page.$$eval('h1,h2,h3,h4,h5,h6', all => all.map(heading => Number(heading.localName[1])))
  assert.equal(levels.filter(level => level === 1).length, 1, 'one h1')
  assert.equal(levels[0], 1)
  levels.slice(1).forEach((level, at) => assert.ok(level <= levels[at] + 1, `h${level} below h${levels[at]}`))
}

export async function axe_is_content (page) {
  await page.evaluate(axe.source)
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  // Rules that say nothing about a page would pass by being absent.
  for (const rule of ['color-contrast', 'landmark-one-main', 'region', 'skip-link']) {
    assert.ok(passes.some(pass => pass.id === rule), `axe has not looked at ${rule}`)
  }
  const found = violations.map(({ id, impact, nodes }) =>
    `${impact} ${id}: ${nodes.slice(0, 3).map(node => `${node.target} ${node.any[0]?.message ?? ''}`).join('; ')}`)
  assert.deepEqual(found, [])
}
