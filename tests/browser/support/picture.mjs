// What stands in for the images of articles: a graph, drawn here, in the size that the URL asks for.

/** An SVG picture for `url`, such as https://dummyimage.com/1200x630/222/eee.png&text=cache. */
export function picture (url) {
  const [, width, height] = /\/(\d{2,4})x(\d{2,4})\b/.exec(url)?.map(Number) ?? [0, 1200, 630]
  const points = Array.from({ length: 25 }, (_, hour) => {
    const night = Math.exp(-((hour - 4) ** 2) / 5)
    const rate = 0.62 + 0.3 * night + 0.05 * Math.sin(hour * 1.7)
    return `${(hour / 24 * width * 0.9 + width * 0.05).toFixed(1)},${(height * (1.05 - rate)).toFixed(1)}`
  })
  const lines = [0.2, 0.4, 0.6, 0.8].map(at => `<path d="M${width * 0.05} ${height * at}H${width * 0.95}"/>`).join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="#243140"/><g stroke="#42566b">${lines}</g>` +
    `<polyline points="${points.join(' ')}" fill="none" stroke="#8fc7ff" stroke-width="${Math.max(2, height / 120)}"/></svg>`
}
