-- Answers requests from Redis, for anp.conf. It only reads. If anything goes wrong here, the origin
-- answers.

local ffi = require "ffi"
local redis = require "nginx.redis"
local semaphore = require "ngx.semaphore"

-- nginx is linked with OpenSSL's libcrypto, and with zlib. Other Lua files may declare zlib's functions
-- too: those of this one have names of their own.
ffi.cdef [[
unsigned char *SHA256(const unsigned char *data, size_t bytes, unsigned char *digest);
typedef struct {
    const char *next_in; unsigned avail_in; unsigned long total_in;
    unsigned char *next_out; unsigned avail_out; unsigned long total_out;
    const char *message; void *state; void *allocate; void *free; void *opaque;
    int data_type; unsigned long checksum; unsigned long reserved;
} anp_zlib_stream;
int anp_inflate_init(anp_zlib_stream *, int bits, const char *version, int size) __asm__("inflateInit2_");
int anp_inflate(anp_zlib_stream *, int flush) __asm__("inflate");
int anp_inflate_end(anp_zlib_stream *) __asm__("inflateEnd");
]]
-- If one is missing, nginx refuses to load this file.
local sha256 = ffi.C.SHA256
local inflate_init, inflate, inflate_end =
    ffi.C.anp_inflate_init, ffi.C.anp_inflate, ffi.C.anp_inflate_end

local LONGEST_PATH = 2048 -- bytes
local LARGEST_PAGE = 64 * 1024 * 1024 -- bytes, as large as a value that anp overwrites; also of files
local LARGEST_REDIRECT = 2112 -- bytes
local LONGEST_SEGMENT = 120 -- bytes, of a route
-- Each worker has at most this many questions to a store in flight, over as many kept connections.
-- Further requests wait their turn: 64 keep Redis busy, and more would only queue there.
local AT_ONCE = 64
local POOL_IDLE = 10000    -- ms that an unused connection is kept
local MOST_FAILURES = 3    -- in a row; then Redis is left alone
local DOWN_SECONDS = 1     -- until one request tries it again
local WAIT_SECONDS = 2     -- for a turn

local M = {}

-- ── Redis ───────────────────────────────────────────────────────────────────────────────────

-- The name of a store: its address, and the user that asks. The name of the password file stands for
-- the password.
local function store_name()
    local var = ngx.var
    return table.concat({ var.anp_redis, var.anp_db, var.anp_user, var.anp_password_file }, "\n")
end

local function password()
    local path = ngx.var.anp_password_file
    if path == "" then return nil end
    local file = assert(io.open(path))
    local line = file:read("*l")
    file:close()
    return assert(line, path .. " is empty")
end

-- Whether the error log has it that files, redirects or texts cannot be read.
local is_refusal_known = false

-- Whether the error `message` is about one value, not about Redis or the connection: the value is not a
-- string, or it is one that the front can do without and may not read. Users that were set up before
-- there were files, redirects and texts have no right to them.
local function is_of_one_value(message, command)
    if message:find("^WRONGTYPE") then return true end
    if not (command and command.is_optional and message:find("^NOPERM")) then return false end
    if not is_refusal_known then
        is_refusal_known = true
        ngx.log(ngx.ERR, "anp: files, redirects and texts are left to the origin: ", message)
    end
    return true
end

-- Sends the commands to the store of that name in one round trip and returns a reply for each: a
-- string, a number or ngx.null; {false, message} for an error. Raises an error when there are no
-- replies.
local function ask(name, ...)
    local commands = { ... }
    local store, address = redis:new(), ngx.var.anp_redis
    local user, db = ngx.var.anp_user, ngx.var.anp_db
    -- Redis would log it in as the default user, who may have every right.
    if user ~= "" and ngx.var.anp_password_file == "" then
        error("$anp_user " .. user .. " has no password: $anp_password_file is empty", 0)
    end
    store:set_timeout(tonumber(ngx.var.anp_timeout))
    local pool = { pool = name, pool_size = AT_ONCE }
    if address:sub(1, 5) == "unix:" then
        assert(store:connect(address, pool))
    else
        local host, port = address:match("^(.+):(%d+)$")
        assert(store:connect(host, tonumber(port), pool))
    end
    -- A new connection logs in within the same round trip.
    local greetings = {}
    if store:get_reused_times() == 0 then
        local secret = password()
        if secret and user ~= "" then greetings = { { "auth", user, secret } }
        elseif secret then greetings = { { "auth", secret } } end
        if db ~= "0" then table.insert(greetings, { "select", db }) end
    end
    store:init_pipeline()
    for _, command in ipairs(greetings) do store[command[1]](store, unpack(command, 2)) end
    for _, command in ipairs(commands) do store[command[1]](store, unpack(command, 2)) end
    local replies, why = store:commit_pipeline()
    if not replies then
        store:close()
        error(why, 0)
    end
    -- A value that is not a string is not a page. Any other error (no rights, still loading) is
    -- about Redis, or about a connection that must log in again.
    for at, reply in ipairs(replies) do
        if type(reply) == "table" and not is_of_one_value(reply[2], commands[at - #greetings]) then
            store:close()
            error(reply[2], 0)
        end
    end
    store:set_keepalive(POOL_IDLE)
    for _ = 1, #greetings do table.remove(replies, 1) end
    return replies
end

-- One semaphore a store. Requests get their turn in order of arrival.
local turns = {}

local function turn_of(name)
    turns[name] = turns[name] or assert(semaphore.new(AT_ONCE))
    return turns[name]
end

-- The same in turn, and behind a breaker for each store that all workers share. Several failures in a
-- row open the breaker; then one request a second asks Redis, until one gets an answer. If the origin
-- has no answer (`is_last`), this asks Redis in any case. Returns nil if there is no answer.
local function ask_if_up(is_last, ...)
    local shared, name = ngx.shared.anp, store_name()
    local failures, failed_at = "failures\n" .. name, "failed_at\n" .. name
    local function is_left_alone() return (shared:get(failures) or 0) >= MOST_FAILURES end
    local was_left_alone = is_left_alone()
    if was_left_alone and not is_last and not shared:add("down\n" .. name, true, DOWN_SECONDS) then
        return nil
    end
    local turn = turn_of(name)
    -- No request waits for its turn at a store that does not answer.
    if not turn:wait(was_left_alone and 0 or WAIT_SECONDS) then return nil end
    if not was_left_alone and is_left_alone() then
        turn:post(1)
        return nil
    end
    local asked_at = ngx.now()
    local ok, replies = pcall(ask, name, ...)
    turn:post(1)
    if ok then
        if shared:get(failures) then shared:delete(failures) end
        return replies
    end
    -- Questions in flight at the same time fail together, and count as one failure.
    if asked_at >= (shared:get(failed_at) or 0) then
        shared:set(failed_at, ngx.now())
        shared:incr(failures, 1, 0)
        ngx.log(ngx.ERR, "anp: the origin answers, for redis does not: ", replies)
    end
    return nil
end

-- ── What a request is ───────────────────────────────────────────────────────────────────────

-- The names of $anp_cookies, kept by its text.
local names_of = {}

local function cookie_names(text)
    local names = names_of[text]
    if names then return names end
    names = { whole = {}, beginnings = {} }
    for name in text:gmatch("%S+") do
        local beginning = name:match("^(.*)%*$")
        if beginning then table.insert(names.beginnings, beginning)
        else names.whole[name] = true end
    end
    names_of[text] = names
    return names
end

local function is_logged_in()
    local cookies = ngx.var.http_cookie
    if not cookies then return false end
    local names = cookie_names(ngx.var.anp_cookies)
    for name in cookies:gmatch("%s*([^=;]+)[^;]*") do
        -- Without the blanks at its end. This pattern reads each byte once; one that tried each blank
        -- as the first of the last ones would block the worker.
        name = name:match("^(.*%S)") or ""
        if names.whole[name] then return true end
        for _, beginning in ipairs(names.beginnings) do
            if name:sub(1, #beginning) == beginning then return true end
        end
    end
    return false
end

-- ── What a page says of itself ──────────────────────────────────────────────────────────────

local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

-- What a value in gzip begins with; its digest of 16 bytes and its length in 4 bytes follow.
-- src/render/gzip.rs writes it.
local GZIP_OPEN = "\31\139\8\4\0\0\0\0\0\255\24\0an\20\0"
local LONGEST_HEAD = 128 * 1024 -- bytes, of a page up to the end of its style

-- The number in the four bytes from `at` on, the lowest first.
local function number_at(value, at)
    local a, b, c, d = value:byte(at, at + 3)
    return a + b * 256 + c * 65536 + d * 16777216
end

-- The digest of a value in gzip; nil for any other value.
local function gzip_digest(value)
    if value:sub(1, #GZIP_OPEN) ~= GZIP_OPEN or #value < #GZIP_OPEN + 20 then return nil end
    local digest = value:sub(#GZIP_OPEN + 1, #GZIP_OPEN + 16)
    return (digest:gsub(".", function(byte) return string.format("%02x", byte:byte()) end))
end

-- The first bytes of what `value` unpacks to; nil if that is damaged or too large. Behind these bytes damage
-- is not seen, unless something is missing or added.
local function unpacked_head(value)
    if number_at(value, #GZIP_OPEN + 17) ~= #value or number_at(value, #value - 3) > LARGEST_PAGE then
        return nil
    end
    local stream = ffi.new("anp_zlib_stream")
    stream.next_in, stream.avail_in = value, #value
    -- 16 more bits: gzip.
    if inflate_init(stream, 15 + 16, "1", ffi.sizeof(stream)) ~= 0 then return nil end
    local head = ffi.new("unsigned char[?]", LONGEST_HEAD)
    stream.next_out, stream.avail_out = head, LONGEST_HEAD
    local status = inflate(stream, 0)
    inflate_end(stream)
    -- 1: this was all, and its checksum is right; 0: there is more than has room.
    if status ~= 1 and (status ~= 0 or stream.avail_out > 0) then return nil end
    return ffi.string(head, LONGEST_HEAD - stream.avail_out)
end

-- `written_at` of the meta object of the page with this digest, as an HTTP date. nil if it is not a
-- date, or if the object is about another page: a browser would mistake one page for the other.
local function last_modified(meta, digest)
    local opening = digest and '{"digest":"' .. digest .. '"'
    if not opening or meta:sub(1, #opening) ~= opening then return nil end
    local year, month, day, time =
        meta:match('"written_at":"(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d:%d%d:%d%d)[.%d]*Z"')
    local name = MONTHS[tonumber(month)]
    -- nginx checks the ranges, ignores the name of the day, and computes the right one.
    local at = name and ngx.parse_http_time(
        string.format("Mon, %s %s %s %s GMT", day, name, year, time))
    return at and ngx.http_time(at)
end

-- The pages of a site share their style, so its hash is computed once.
local last_style, last_source

local function style_source(page)
    local _, before = page:find("<style>", 1, true)
    local after = before and page:find("</style>", before + 1, true)
    if not after then return "'none'" end
    local style = page:sub(before + 1, after - 1)
    if style ~= last_style then
        local digest = ffi.new("unsigned char[32]")
        sha256(style, #style, digest)
        last_style = style
        last_source = "'sha256-" .. ngx.encode_base64(ffi.string(digest, 32)) .. "'"
    end
    return last_source
end

-- What caches may do with something that has this time to live in ms: src/edge/cache_policy.rs has the
-- same rules. A site file from before there were these variables lacks them.
local function cache_control(ttl)
    local var = ngx.var
    local left = math.max(math.floor(ttl / 1000), 0)
    local browser = math.min(tonumber(var.anp_cache_browser) or left, left)
    local value, fresh = "public, max-age=" .. browser, browser
    local edge = tonumber(var.anp_cache_edge)
    if edge then
        edge = math.min(edge, left)
        fresh = math.max(edge, browser)
        value = value .. ", s-maxage=" .. edge
    end
    local stale = math.min(tonumber(var.anp_cache_stale) or 0, left - fresh)
    if stale > 0 then
        value = value .. ", stale-while-revalidate=" .. stale .. ", stale-if-error=" .. stale
    end
    return value
end

-- The key by which a CDN purges what is at this path; nil if the site has none.
local function surrogate_key(path)
    return ngx.var.anp_surrogate_keys == "on" and path or nil
end

-- The headers that a page and a file have in common.
local function headers_of(body, digest, ttl, content_type, policy)
    local is_gzip = gzip_digest(body) ~= nil
    return {
        ["Content-Type"] = content_type,
        ["Content-Encoding"] = is_gzip and "gzip",
        ["Content-Length"] = #body,
        -- Clients that take no gzip get other bytes under the same tag, so the tag is weak.
        ["ETag"] = digest and (is_gzip and 'W/"' or '"') .. digest .. '"',
        ["Cache-Control"] = cache_control(ttl),
        ["Age"] = 0,
        ["X-Cache"] = "HIT",
        ["Vary"] = "Cookie",
        ["Content-Security-Policy"] = policy .. "; base-uri 'none'; form-action 'none'"
            .. "; frame-ancestors 'none'",
        ["X-Content-Type-Options"] = "nosniff",
        ["Referrer-Policy"] = "strict-origin-when-cross-origin",
    }
end

local function page_answer(page, ttl, meta)
    local digest, head = gzip_digest(page), page
    if digest then
        head = unpacked_head(page)
        -- The origin answers where the value is damaged.
        if not head then return nil end
    else
        digest = page:sub(-43):match("^<!%-%-anp:([0-9a-f]+)%-%->$")
        if digest and #digest ~= 32 then digest = nil end
    end
    local headers = headers_of(page, digest, ttl, "text/html; charset=utf-8",
        "default-src 'none'; style-src " .. style_source(head) .. "; img-src 'self' https: http:")
    headers["Last-Modified"] = last_modified(meta, digest)
    -- Also if the meta object is about another page: better once too often.
    headers["X-Robots-Tag"] = meta:find('"robots":"noindex"', 1, true) and "noindex"
    return { status = 200, body = page, headers = headers }
end

-- ── Files and redirects ─────────────────────────────────────────────────────────────────────

-- The rules of src/article/route.rs: segments of a-z 0-9 and single hyphens inside, a slash at both ends.
local function is_route(path)
    if not path:find("^/[a-z0-9/-]*$") or path:sub(-1) ~= "/" or path:find("//", 1, true) then
        return false
    end
    for segment in path:gmatch("[^/]+") do
        if #segment > LONGEST_SEGMENT or segment:find("^%-") or segment:find("%-$")
            or segment:find("--", 1, true) then
            return false
        end
    end
    return true
end

-- Media types of files, by their ending; of feeds, by theirs. src/archive/file_path.rs has the same.
local TYPES = {
    xml = "application/xml", json = "application/json", txt = "text/plain", md = "text/markdown" }
local FEED_TYPES = { xml = "application/atom+xml", json = "application/feed+json" }

-- Content-Type of the file at this path; nil if it is not a path of a file.
local function file_type(path)
    local stem, ending = path:match("^(/[a-z0-9/-]*)%.(%l+)$")
    if not stem or not TYPES[ending] or not is_route(stem .. "/") then return nil end
    local is_feed = stem:sub(-5) == "/feed"
    return (is_feed and FEED_TYPES[ending] or TYPES[ending]) .. "; charset=utf-8"
end

-- The digest at the end of a file: of XML, of a JSON feed, of a text. A line feed may follow it.
local function file_digest(file)
    local of_gzip = gzip_digest(file)
    if of_gzip then return of_gzip end
    local tail = file:sub(-54):gsub("\n$", "")
    local digest = tail:match("<!%-%-anp:([0-9a-f]+)%-%->$")
        or tail:match('"_anp":{"digest":"([0-9a-f]+)"}}$') or tail:match("# anp:([0-9a-f]+)$")
    return digest and #digest == 32 and digest or nil
end

local function file_answer(file, ttl, content_type)
    -- GETRANGE answers an empty string for a missing key.
    if type(file) ~= "string" or file == "" or #file > LARGEST_PAGE then return nil end
    -- The origin answers where the value is damaged.
    if gzip_digest(file) and not unpacked_head(file) then return nil end
    local headers = headers_of(file, file_digest(file), ttl, content_type,
        "default-src 'none'; style-src 'none'")
    return { status = 200, body = file, headers = headers }
end

-- The values that src/archive/redirect.rs takes: these members in either order, blanks between them.
local MOVED_TO_FIRST, MOVED_STATUS_FIRST, GONE
do
    local blank = "[ \t\r\n]*"
    local function member(name, value) return '"' .. name .. '"' .. blank .. ":" .. blank .. value end
    local function object(...)
        local members = table.concat({ ... }, blank .. "," .. blank)
        return "^" .. blank .. "{" .. blank .. members .. blank .. "}" .. blank .. "$"
    end
    local to, status = member("to", '"([a-z0-9/-]*)"'), member("status", "(%d+)")
    MOVED_TO_FIRST, MOVED_STATUS_FIRST = object(to, status), object(status, to)
    GONE = object(member("status", "410"))
end

local MOVED_STATUSES = { ["301"] = 301, ["302"] = 302, ["308"] = 308 }

local GONE_PAGE = "<!doctype html><html lang=en><title>410</title><h1>This page is gone</h1>"
    .. "<p>It was withdrawn.\n"

-- What the redirect stored for this route says; nil if the value is not a redirect, or redirects to itself.
-- Its target is a route, never another site.
local function redirect_answer(route, value, ttl)
    -- -2: it has just expired.
    if type(value) ~= "string" or #value > LARGEST_REDIRECT or type(ttl) ~= "number" or ttl == -2 then
        return nil
    end
    local headers = { ["Cache-Control"] = cache_control(ttl), ["Vary"] = "Cookie" }
    if value:find(GONE) then
        headers["Content-Type"] = "text/html; charset=utf-8"
        headers["Content-Length"] = #GONE_PAGE
        headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        headers["X-Content-Type-Options"] = "nosniff"
        return { status = 410, at = route, body = GONE_PAGE, headers = headers }
    end
    local to, status = value:match(MOVED_TO_FIRST)
    if not to then status, to = value:match(MOVED_STATUS_FIRST) end
    status = MOVED_STATUSES[status]
    if not status or to == route or not is_route(to) then return nil end
    return { status = status, at = route, to = to, headers = headers }
end

-- ── Looking up ──────────────────────────────────────────────────────────────────────────────

-- Returns the replies of Redis, or nil. $anp_unanswered is 1 as long as it has not answered.
local function look_up(is_last, ...)
    ngx.var.anp_unanswered = 1
    local replies = ask_if_up(is_last, ...)
    if replies then ngx.var.anp_unanswered = "" end
    return replies
end

-- The text of the article in whose folder the path names `index.md`.
local function find_text(path, content_type, is_last)
    local prefix, route = ngx.var.anp_prefix, path:sub(1, -#"index.md" - 1)
    local key = prefix .. ":text:" .. route
    local replies = look_up(is_last, { "getrange", key, 0, LARGEST_PAGE, is_optional = true },
        { "pttl", key, is_optional = true }, { "getrange", prefix .. ":meta:" .. route, 0, 399 })
    local answer = replies and file_answer(replies[1], replies[2], content_type)
    if answer and type(replies[3]) == "string" then
        answer.headers["X-Robots-Tag"] = replies[3]:find('"robots":"noindex"', 1, true) and "noindex"
    end
    return answer, replies
end

local function find_file(path, content_type, is_last)
    if path:sub(-9) == "/index.md" then
        local answer, replies = find_text(path, content_type, is_last)
        -- Without replies, Redis is not asked again.
        if answer or not replies then return answer end
    end
    local key = ngx.var.anp_prefix .. ":file:" .. path
    local replies = look_up(is_last, { "getrange", key, 0, LARGEST_PAGE, is_optional = true },
        { "pttl", key, is_optional = true })
    return replies and file_answer(replies[1], replies[2], content_type)
end

local function find_redirect(route, is_last)
    local key = ngx.var.anp_prefix .. ":redirect:" .. route
    local replies = look_up(is_last, { "getrange", key, 0, LARGEST_REDIRECT, is_optional = true },
        { "pttl", key, is_optional = true })
    return replies and redirect_answer(route, replies[1], replies[2])
end

-- Returns the answer to this path, { status, headers, body } or { status, headers, to }, or nothing. Only
-- where there is no page is Redis asked for a redirect.
local function find(path, is_last)
    local content_type = file_type(path)
    if content_type then return find_file(path, content_type, is_last) end
    -- Only a route becomes part of a key.
    if not path:find("^/[a-z0-9/-]*$") or path:find("//", 1, true) then return end
    local prefix = ngx.var.anp_prefix
    if path:sub(-1) ~= "/" then
        local route = path .. "/"
        local key = prefix .. ":page:" .. route
        local replies = look_up(is_last, { "pttl", key }, { "getrange", key, 0, 0 })
        if not replies then return end
        -- A value that is not a string is not a page.
        if replies[1] ~= -2 and type(replies[2]) == "string" and replies[2] ~= "" then
            -- The page may go, and the origin decide.
            return { status = 308, to = route, headers = { ["Cache-Control"] = "no-store" } }
        end
        return find_redirect(route, is_last)
    end
    local key = prefix .. ":page:" .. path
    local replies = look_up(is_last, { "getrange", key, 0, LARGEST_PAGE }, { "pttl", key },
        { "getrange", prefix .. ":meta:" .. path, 0, 399 })
    if not replies then return end
    -- GETRANGE answers an empty string for a missing key. That, a value that is not a string, and a
    -- large value of another program are not pages.
    local page = replies[1]
    if type(page) ~= "string" or page == "" or #page > LARGEST_PAGE then
        return find_redirect(path, is_last)
    end
    local meta = type(replies[3]) == "string" and replies[3] or ""
    return page_answer(page, replies[2], meta)
end

-- ── Requests ────────────────────────────────────────────────────────────────────────────────

-- Whether the request wants another version of the page (RFC 9110, 13.1.1 and 13.1.4): If-Match does
-- not list its strong tag, or, without If-Match, the page is newer than If-Unmodified-Since.
local function is_unwanted(etag, last_modified)
    local list = ngx.var.http_if_match
    if list then
        if list:find("^%s*%*%s*$") then return false end
        for weak, tag in list:gmatch('(W?/?)("[^"]*")') do
            if weak == "" and tag == etag then return false end
        end
        return true
    end
    local since = ngx.parse_http_time(ngx.var.http_if_unmodified_since or "")
    return since and last_modified and ngx.parse_http_time(last_modified) > since
end

-- Answers from Redis, or returns.
local function answer_from_store(is_last)
    local var = ngx.var
    local ok, found = pcall(find, var.uri, is_last)
    if not ok then
        ngx.log(ngx.ERR, "anp: the origin answers: ", found)
        return
    end
    if not found then return end
    var.anp_cache = "HIT"
    local headers = found.headers
    if found.status == 200 and is_unwanted(headers["ETag"], headers["Last-Modified"]) then
        ngx.header["Cache-Control"] = "no-store"
        return ngx.exit(412)
    end
    for name, value in pairs(headers) do ngx.header[name] = value or nil end
    ngx.ctx.anp_is_coded = headers["Content-Encoding"]
    if headers["Cache-Control"] ~= "no-store" then
        ngx.header["Surrogate-Key"] = surrogate_key(found.at or var.uri)
    end
    if found.to then
        return ngx.redirect(found.to .. (var.is_args or "") .. (var.args or ""), found.status)
    end
    ngx.status = found.status
    -- nginx itself answers 304, but would require both conditions.
    if var.http_if_none_match then ngx.req.clear_header("If-Modified-Since") end
    -- nginx would check these again, in the middle of the page.
    ngx.req.clear_header("If-Match")
    ngx.req.clear_header("If-Unmodified-Since")
    ngx.print(found.body)
    return ngx.exit(200)
end

-- Answers the request, or returns for the origin to do so.
function M.answer()
    local var = ngx.var
    if var.anp_enabled ~= "on" then return end
    local method = ngx.req.get_method()
    local is_read = method == "GET" or method == "HEAD"
    if not is_read and var.anp_other_methods ~= "pass" then
        ngx.header["Allow"] = "GET, HEAD"
        return ngx.exit(405)
    end
    if #var.request_uri:match("^[^?]*") > LONGEST_PATH then return ngx.exit(414) end
    if is_logged_in() then
        var.anp_cache = "BYPASS"
        ngx.req.clear_header("If-None-Match")
        ngx.req.clear_header("If-Modified-Since")
        return
    end
    if not is_read then return end

    answer_from_store(false)
end

-- The origin is full or down. Asks Redis again if it did not answer.
function M.again()
    if ngx.var.anp_unanswered == "1" then answer_from_store(true) end
    return ngx.exec("@anp_no_origin")
end

-- Headers that let a cache keep or revalidate a response.
local SHARING = { "Expires", "Age", "ETag", "Last-Modified", "Pragma", "Surrogate-Control", "Edge-Control" }

-- Sets the final headers, also of the origin's answers.
function M.headers()
    local cache = ngx.var.anp_cache
    ngx.header["X-Cache"] = cache
    -- nginx adds it to whole answers alone.
    if ngx.status == 304 and ngx.ctx.anp_is_coded then
        ngx.header["Vary"] = { "Accept-Encoding", "Cookie" }
    end
    if cache == "BYPASS" then
        ngx.header["Cache-Control"] = "private, no-store"
        for _, name in ipairs(SHARING) do ngx.header[name] = nil end
        -- CDN-Cache-Control and its vendor variants override Cache-Control there.
        for name in pairs(ngx.resp.get_headers(0)) do
            if name:lower():find("cdn-cache-control", 1, true) then ngx.header[name] = nil end
        end
    end
end

function M.health()
    local up, why = pcall(ask, store_name(), { "ping" })
    if not up then ngx.log(ngx.WARN, "anp: redis is down: ", why) end
    ngx.header["Content-Type"] = "text/plain; charset=utf-8"
    ngx.header["Cache-Control"] = "no-store"
    ngx.header["X-Store"] = up and "up" or "down"
    ngx.print("ok\n")
end

return M
