"""What a careful person would write instead of anp: reads, checks, renders, writes with TTLs.

publish.py CONTENT SOCKET

It uses the fast libraries (hiredis, libyaml, nh3), checks the types and ranges of the fields that
matter, escapes everything, and sends pipelines of 500 commands. It has no manifest, no plan, no
compare-and-set and no way back.
"""

import hashlib
import json
import re
import sys
import time
import zlib
from pathlib import Path

import jinja2
import nh3
import redis
import yaml
from markdown_it import MarkdownIt

TTL_MS = 7 * 24 * 3600 * 1000
PIPELINE = 500
SLUG = re.compile(r"[^a-z0-9]+")

PAGE = jinja2.Environment(autoescape=True, trim_blocks=True).from_string(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{{ meta.title }}</title>
<meta name="description" content="{{ meta.summary }}">
<link rel="canonical" href="{{ route }}">
<meta name="robots" content="{{ robots }}">
<style>{{ style|safe }}</style>
<script type="application/ld+json">{{ json_ld|safe }}</script>
</head><body><main><article><header><p>{{ meta.topic }}</p><h1>{{ meta.title }}</h1>
<p>{{ meta.summary }}</p></header>
{{ body|safe }}
</article></main>
{% macro show(value) %}
{% if value is mapping %}<ul>{% for name, member in value.items() %}
<li><b>{{ name }}</b> {{ show(member) }}</li>{% endfor %}</ul>
{% elif value is sequence and value is not string %}<ul>{% for member in value %}
<li>{{ show(member) }}</li>{% endfor %}</ul>
{% else %}{{ value }}{% endif %}
{% endmacro %}
<aside><dl>{% for name, value in meta.items() %}
<dt>{{ name }}</dt><dd>{{ show(value) }}</dd>{% endfor %}</dl></aside>
</body></html>
"""
)


class Invalid(Exception):
    """A source that is not published."""


def text(meta, name, most, required=False):
    value = meta.get(name)
    if value is None and not required:
        return
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        raise Invalid(f"{name}: expected a text of 1 to {most} characters")


def whole(value, name, most):
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise Invalid(f"{name}: expected a whole number from 0 to {most}")


def texts(meta, name, longest):
    values = meta.get(name) or []
    if not isinstance(values, list) or len(values) > 64:
        raise Invalid(f"{name}: expected a list of at most 64")
    if any(not isinstance(v, str) or len(v) > longest for v in values):
        raise Invalid(f"{name}: expected texts of at most {longest} characters")


def check(meta):
    text(meta, "title", 200, required=True)
    for name, most in (("topic", 200), ("summary", 500), ("ai_brief", 1000), ("owner", 300)):
        text(meta, name, most)
    for name in ("stack", "tools", "tags", "categories"):
        texts(meta, name, 80)
    for name in ("checklist", "notes"):
        texts(meta, name, 300)
    for name, value in (meta.get("score") or {}).items():
        whole(value, f"score.{name}", 100)
    if "reading_time" in meta:
        whole(meta["reading_time"], "reading_time", 600)
    if "view_count" in meta:
        whole(meta["view_count"], "view_count", 2**53)
    if meta.get("difficulty") not in (None, "beginner", "intermediate", "advanced", "expert"):
        raise Invalid("difficulty: expected beginner, intermediate, advanced or expert")
    for image in meta.get("image_sources") or []:
        if not re.match(rf"https?://{re.escape(image['source'])}(/|$)", image["url"]):
            raise Invalid("image_sources: expected a URL of that source")


def articles(content, markdown, style):
    for path in sorted(Path(content).rglob("*.md")):
        source = path.read_bytes()
        try:
            _, front_matter, body = source.decode().split("---\n", 2)
            meta = yaml.load(front_matter, yaml.CSafeLoader)
            check(meta)
        except (Invalid, ValueError, yaml.YAMLError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            continue
        if meta.get("draft"):
            continue
        slug = SLUG.sub("-", meta.get("slug") or path.stem).strip("-")
        route = f"/{path.parent.relative_to(content)}/{slug}/"
        digest = hashlib.blake2b(source, digest_size=16).hexdigest()
        robots = "noindex" if meta["flags"]["needs_human_review"] else "index,follow"
        json_ld = json.dumps({"@type": "TechArticle", "headline": meta["title"]})
        page = PAGE.render(
            meta=meta, route=route, robots=robots, style=style,
            json_ld=json_ld.replace("<", "\\u003c"), body=nh3.clean(markdown.render(body)),
        )
        stored = {"digest": digest, "robots": robots, "metadata": meta}
        yield route, f"{page}<!--{digest}-->", json.dumps(stored, default=str)


def main():
    content, path = sys.argv[1:]
    store = redis.Redis(unix_socket_path=path)
    style = Path(__file__).parents[2].joinpath("src/render/templates/style.css").read_text()
    markdown = MarkdownIt("commonmark").enable("table")
    now, count = int(time.time() * 1000), 0
    pipeline = store.pipeline(transaction=False)
    for route, page, meta in articles(content, markdown, style):
        jitter = (zlib.crc32(route.encode()) % 2001 - 1000) / 10_000
        expiry = now + int(TTL_MS * (1 + jitter))
        pipeline.set(f"anp:page:{route}", page, pxat=expiry)
        pipeline.set(f"anp:meta:{route}", meta, pxat=expiry)
        count += 1
        if len(pipeline) >= PIPELINE:
            pipeline.execute()
    pipeline.execute()
    print(f"{count} articles")


main()
