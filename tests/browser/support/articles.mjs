// Articles that are too long to keep: the longest there is to look at, tables wider and taller
// than any page, and one with every metadata field filled as far as the schema lets it.

const YAML = JSON.stringify // JSON is YAML, and nothing needs escaping twice.

const words = (characters, seed = 0) => {
  const known = ['cache', 'archive', 'nightly', 'lease', 'reader', 'expiry', 'of', 'the', 'a', 'key']
  let text = ''
  for (let at = seed; text.length < characters; at += 7) text += (text && ' ') + known[at % known.length]
  return text.slice(0, characters).trim().padEnd(characters, 'x')
}

const many = (count, make) => Array.from({ length: count }, (_, index) => make(index))

const article = (fields, body) =>
  `---\n${Object.entries(fields).map(([name, value]) => `${name}: ${YAML(value)}\n`).join('')}---\n\n${body}\n`

/** Every field as long as the schema allows, within the 64 KiB that front matter may have. */
function limits () {
  const url = index => `https://images.example.org/missing-${index}.png?${'q'.repeat(400)}`
  return article({
    title: words(200),
    date: '2019-08-08T12:30:00.123456789+14:00',
    updated: '2024-02-29T23:59:59.999999999-12:00',
    topic: words(200, 1),
    summary: words(500, 2),
    ai_outline: many(32, index => ({ [`step ${index} ${words(40, index)}`]: words(200, index) })),
    ai_brief: words(1000, 3),
    stack: many(64, index => words(index % 2 ? 80 : 8, index)),
    tools: many(64, index => `tool-${index}`),
    tags: many(64, index => `${'t'.repeat(76)}-${index}`),
    categories: many(64, index => words(12, index)),
    code_language: 'c'.repeat(32),
    difficulty: 'intermediate',
    reading_time: 600,
    view_count: 9007199254740992,
    score: { quality: 100, freshness: 0, depth: 100, clarity: 100 },
    revision: { status: 's'.repeat(80), version: `1.0.0-${'v'.repeat(74)}`, last_reviewed: '2024-02-29' },
    reference: words(200, 4),
    hash: '0123456789abcdef01234567',
    flags: { ai_generated_style: true, has_images: true, image_heavy: false, needs_human_review: true },
    checklist: many(24, index => words(300, index)),
    entities: many(64, index => ({ name: words(index % 8 ? 16 : 80, index), type: words(index % 8 ? 6 : 80, index) })),
    image_sources: many(12, index => ({ source: 'images.example.org', url: url(index), caption: words(300, index) })),
    payload: { source_id: words(200), generator: words(200), paragraphs: 9007199254740992, scenario: words(200), seed: 1 },
    notes: many(20, index => words(300, index)),
    owner: words(300),
    expected_result: words(300, 5),
    rollback_note: words(300, 6),
    ttl: '3650d'
  }, 'Every field above is as long as it may be.')
}

function tables () {
  const row = cells => `| ${cells.join(' | ')} |\n`
  const table = (columns, rows, cell) =>
    row(many(columns, column => `column ${column + 1}`)) + row(many(columns, column => column % 3 === 2 ? '--:' : '---')) +
    many(rows, at => row(many(columns, column => cell(at, column)))).join('')
  return article({ title: 'Tables of many rows and columns', tags: ['tables'] }, [
    '## Sixty rows', table(4, 60, (at, column) => column === 2 ? String(at * 317) : words(4 + (at * 7 + column * 11) % 40, at)),
    '## Twelve columns', table(12, 6, (at, column) => column % 3 === 2 ? String(at * column * 71) : words(6 + (column * 5) % 14, at)),
    '## Two short columns', table(2, 3, (at, column) => column ? String(at) : `row ${at}`)
  ].join('\n\n'))
}

function longest () {
  const section = index => [
    `${'#'.repeat(2 + index % 3)} Section ${index + 1}: ${words(30, index)}`,
    ...many(6, at => words(300 + (at * 211) % 500, index + at) + '.'),
    many(5, at => `- ${words(60 + at * 20, at)}`).join('\n')
  ].join('\n\n')
  return article({ title: 'The longest article', reading_time: 120 }, many(60, section).join('\n\n'))
}

/** File name → text. */
export const generated = () => ({ 'limits.md': limits(), 'tables.md': tables(), 'longest.md': longest() })
