"""Writes articles of another style than `anp synth`: front matter in block and flow layout, quoted
scalars, comments, long lists, fields that anp does not know; longer bodies with tables and code, and
raw HTML in one of ten. Each article has one warning: two names of one field with two values.
`corpus.py COUNT FOLDER [SEED]`
"""

import random
import sys
from pathlib import Path

WORDS = (
    "cache replica snapshot index shard queue worker deploy release rollback latency throughput "
    "memory disk network socket kernel thread process signal timeout retry backoff circuit breaker "
    "schema migration column query planner vacuum lock transaction isolation commit journal quorum "
    "leader follower election heartbeat lease token session cookie header payload encoding parser "
    "compiler linker loader module package registry artifact container image layer volume cluster "
    "the a of in for with when before after while since during against between under over slowly "
    "quickly rarely often never always measured expected observed reported recovered failed"
).split()
LANGUAGES = ("python", "sh", "sql", "yaml", "go")


def sentence(random, least=6, most=18):
    words = random.choices(WORDS, k=random.randint(least, most))
    return " ".join(words).capitalize() + "."


def paragraph(random):
    return " ".join(sentence(random) for _ in range(random.randint(3, 7)))


def table(random):
    columns = random.randint(3, 5)
    rows = [random.choices(WORDS, k=columns) for _ in range(random.randint(4, 12))]
    lines = [rows[0], ["---"] * columns, *rows[1:]]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def code(random):
    lines = (" ".join(random.choices(WORDS, k=random.randint(2, 8))) for _ in range(random.randint(5, 20)))
    return f"```{random.choice(LANGUAGES)}\n" + "\n".join(lines) + "\n```"


def html(random):
    rows = (f"<tr><td>{word}</td><td><b>{random.randint(1, 99)}</b></td></tr>" for word in random.choices(WORDS, k=6))
    return (
        f"<div class=\"note\"><p>{sentence(random)}</p></div>\n\n"
        f"<details><summary>{sentence(random, 2, 4)}</summary>\n<table>{''.join(rows)}</table></details>"
    )


def body(random, number):
    parts = [paragraph(random)]
    for section in range(random.randint(3, 6)):
        parts += [f"## {' '.join(random.choices(WORDS, k=3)).title()} {section}", paragraph(random)]
        parts.append(random.choice((table, code, bullets, paragraph))(random))
        parts.append(f"{sentence(random)} See [the notes](https://example.org/{random.choice(WORDS)}) and `{random.choice(WORDS)}`.")
    if number % 10 == 0:
        parts.append(html(random))
    return "\n\n".join(parts) + "\n"


def bullets(random):
    return "\n".join(f"- **{random.choice(WORDS)}**: {sentence(random, 4, 9)}" for _ in range(random.randint(4, 9)))


def front_matter(random, number):
    title = f"{' '.join(random.choices(WORDS, k=4)).title()}: part {number}"
    date = f"20{random.randint(10, 25)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    lines = [
        "---",
        "# written by the editorial system; do not edit the id",
        f"id: ED-{number:07}",
        f"title: \"{title}\"",
        f"description: '{sentence(random)}'   # for search engines",
        f"date: {date}T0{random.randint(0, 9)}:30:00+02:00",
        # The warning: both are names of one field.
        f"summary: {sentence(random)}",
        f"excerpt: {sentence(random)}",
        f"tags: [{', '.join(random.sample(WORDS, 6))}]",
        "authors:",
        *(f"  - {{name: \"{random.choice(WORDS).title()} {random.choice(WORDS).title()}\", role: editor}}" for _ in range(2)),
        "categories:",
        *(f"- \"{word}\"" for word in random.sample(WORDS, 2)),
        f"editorial: {{desk: {random.choice(WORDS)}, priority: {random.randint(1, 5)}, reviewed: true}}",
        "checklist:",
        *(f"    - {sentence(random, 3, 6)}" for _ in range(8)),
        "sources: [" + ", ".join(f"'https://example.org/{word}'" for word in random.sample(WORDS, 5)) + "]",
        f"reading_time: {random.randint(2, 20)}",
        f"internal_notes: >-\n  {sentence(random)}\n  {sentence(random)}",
        "---",
        "",
    ]
    return "\n".join(lines)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: corpus.py COUNT FOLDER [SEED]")
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    seeded = random.Random(int(sys.argv[3]) if len(sys.argv) == 4 else 1)
    for number in range(count):
        path = folder / f"{seeded.choice(WORDS)}" / f"part-{number:07}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(front_matter(seeded, number) + "\n" + body(seeded, number), encoding="utf-8")


if __name__ == "__main__":
    main()
