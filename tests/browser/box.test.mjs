// The meta box against the meta object: every list and group of the metadata is a list.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { DESKTOP, PHONE, launch, open } from './support/browser.mjs'
import { publish } from './support/site.mjs'

const site = await publish()
const browser = await launch()
after(async () => { await browser.close(); await site.close() })

// Shown above the article, or not for readers.
const ELSEWHERE = ['title', 'summary']

for (const route of site.routes) {
  test(`the box of ${route} has all of its metadata, each list as a list`, async () => {
    const { metadata } = await site.meta(route)
    const fields = Object.entries(metadata).filter(([name]) => !ELSEWHERE.includes(name))
    const page = await open(browser, site, route)
    const shown = await page.evaluate(() => {
      const read = node => {
        const list = node.firstElementChild
        if (list?.localName === 'ul') return [...list.children].map(item => item.localName === 'li' ? read(item) : 'no li')
        if (list?.localName === 'dl') return { pairs: pairs(list) }
        return node.textContent
      }
      const pairs = list => {
        const [terms, values] = ['DT', 'DD'].map(tag => [...list.children].filter(child => child.tagName === tag))
        return values.map((value, at) => [terms[at].textContent, read(value)])
      }
      return [...document.querySelectorAll('aside details > dl')].flatMap(pairs)
    })
    const wanted = value => Array.isArray(value)
      ? value.map(wanted)
      : typeof value === 'object' ? { values: Object.values(value).map(wanted) } : String(value)
    // Labels of an outline may repeat: its pairs are a list in the metadata, and one list of terms here.
    const field = ([name, value]) => name === 'ai_outline' ? wanted(value.flatMap(Object.entries)
      .reduce((all, [label, text], at) => ({ ...all, [`${at} ${label}`]: text }), {})) : wanted(value)
    const without_terms = value => Array.isArray(value)
      ? value.map(without_terms)
      : value.pairs ? { values: value.pairs.map(([, value]) => without_terms(value)) } : value
    const sorted = values => values.map(value => JSON.stringify(value)).sort()
    assert.deepEqual(sorted(shown.map(([, value]) => without_terms(value))), sorted(fields.map(field)))
    for (const [term] of shown) assert.match(term, /^[A-Z]/)
    await page.close()
  })
}

for (const [device, viewport] of [['phone', PHONE], ['desktop', DESKTOP]]) {
  test(`nothing of a full box is hidden or hangs out of it on a ${device}`, async () => {
    const page = await open(browser, site, '/limits/', { viewport })
    const { seen, out } = await page.evaluate(() => {
      const frame = document.querySelector('aside').getBoundingClientRect()
      const all = [...document.querySelectorAll('aside :is(li,dt,dd,time,a)')]
      const out = all.filter(node => {
        const { left, right, width, height } = node.getBoundingClientRect()
        return left < frame.left || right > frame.right || !width || !height
      })
      return { seen: all.length, out: out.map(node => node.textContent.slice(0, 40)) }
    })
    assert.ok(seen > 500, `${seen}`)
    assert.deepEqual(out, [])
    await page.close()
  })

  test(`labels and values of a box stand in two columns on a ${device}`, async () => {
    const page = await open(browser, site, '/limits/', { viewport })
    const columns = await page.$$eval('aside details > dl', lists => lists.map(list =>
      ['dt', 'dd'].map(tag => [...new Set([...list.querySelectorAll(`:scope > ${tag}`)]
        .map(node => Math.round(node.getBoundingClientRect().left)))])))
    const [[labels, values]] = columns
    assert.equal(labels.length, 1)
    assert.equal(values.length, 1)
    assert.ok(values[0] > labels[0] + 80, `${columns}`)
    columns.forEach(list => assert.deepEqual(list, [labels, values], 'both parts of the box are aligned'))
    await page.close()
  })
}
