//! The names of fields that are about who may see an article, and the words of a status. Names have no
//! underscores here: `membersOnly` and `members_only` are one.

/// Fields of one generator or more whose yes keeps the article back.
pub(super) const DRAFT_IF_YES: &[&str] = &[
    "deleted",
    "disabled",
    "donotpublish",
    "dontpublish",
    "draft",
    "headless",
    "isdeleted",
    "isdraft",
    "nopublish",
    "notpublished",
    "trashed",
    "unpublish",
    "unpublished",
    "wip",
    "workinprogress",
];
/// The same of a no.
pub(super) const DRAFT_IF_NO: &[&str] = &["enabled", "render", "routable"];
/// Fields whose yes has to be explained; other values are about something else: `auth: OAuth`.
pub(super) const ASKED_IF_YES: &[&str] = &[
    "auth",
    "authentication",
    "expired",
    "login",
    "paid",
    "removed",
];
/// The same of a no.
pub(super) const ASKED_IF_NO: &[&str] = &["live", "released"];
/// Fields with the day from which the article is seen.
pub(super) const FROM: &[&str] = &[
    "golive",
    "goliveat",
    "golivedate",
    "publicationdate",
    "publishafter",
    "publishfrom",
    "publishingdate",
    "publishon",
    "releasedate",
    "scheduledat",
    "scheduleddate",
    "scheduledfor",
];
/// Fields with the day on which it ends. No `end_date`: that is an event's, and its article stays.
pub(super) const UNTIL: &[&str] = &[
    "expirationdate",
    "expireat",
    "expiredate",
    "expireon",
    "expireson",
    "publishuntil",
    "validuntil",
];
/// The same among the fields that the schema knows.
pub(super) const KNOWN_FROM: &[&str] = &["publishat", "publishdate"];
pub(super) const KNOWN_UNTIL: &[&str] = &["expires", "expiresat", "expirydate", "unpublishdate"];
/// Fields with the day of the article.
pub(super) const KNOWN_DATE: &[&str] = &[
    "date",
    "pubdate",
    "pubdatetime",
    "publishedat",
    "publisheddate",
];
/// Fields whose no leaves the article without a page.
pub(super) const KNOWN_ROUTE: &[&str] = &["permalink", "route", "url"];
/// Fields that name something: `id: draft` says nothing.
pub(super) const NAMING: &[&str] = &[
    "id",
    "identifier",
    "key",
    "label",
    "layout",
    "menu",
    "name",
    "parent",
    "sidebarlabel",
    "template",
    "uid",
];
/// Fields whose yes leaves the article out of lists, and so out of search engines.
pub(super) const NOINDEX_IF_YES: &[&str] = &[
    "eleventyexcludefromcollections",
    "excludefromsitemap",
    "hide",
    "hidden",
    "hidefromsitemap",
    "ishidden",
    "noindex",
    "nositemap",
    "robotsnoindex",
    "seonoindex",
    "sitemapexclude",
    "sitemapignore",
    "unlisted",
];
/// The same of a no.
pub(super) const NOINDEX_IF_NO: &[&str] = &["index", "indexable", "indexing", "listed"];
/// Fields that open the article: what is neither a plain yes nor a plain no has to be explained.
pub(super) const OPENING: &[&str] = &[
    "dgpublish",
    "ispublic",
    "ispublished",
    "public",
    "publish",
    "published",
];
/// The same, where a no has to be explained too.
pub(super) const SHOWING: &[&str] = &["isvisible", "visible"];
/// Fields that restrict who may see the article: anything but a plain no has to be explained.
pub(super) const RESTRICTING: &[&str] = &[
    "access",
    "accesscontrol",
    "accesslevel",
    "acl",
    "adminonly",
    "allowedgroups",
    "allowedroles",
    "allowedusers",
    "authrequired",
    "confidential",
    "confidentiality",
    "embargo",
    "embargodate",
    "embargoed",
    "embargountil",
    "encrypt",
    "encrypted",
    "internal",
    "internalonly",
    "isinternal",
    "isprivate",
    "isprotected",
    "loginrequired",
    "memberonly",
    "membersonly",
    "paidonly",
    "password",
    "passwordprotected",
    "paywall",
    "paywalled",
    "postpassword",
    "premium",
    "private",
    "protected",
    "requireauth",
    "requirelogin",
    "requiresauth",
    "requireslogin",
    "restrict",
    "restricted",
    "secret",
    "staffonly",
    "subscriberonly",
    "subscribersonly",
    "visibility",
];
/// Fields with the words of robots meta tags.
pub(super) const ROBOTS: &[&str] = &[
    "googlebot",
    "metarobots",
    "robots",
    "robotsmeta",
    "seorobots",
];
/// Groups whose members are fields: Hugo's `params`, Zola's `extra`, `seo: {noindex: true}`. Fields that
/// the schema knows are among the names above for these alone.
pub(super) const GROUPS: &[&str] = &[
    "attributes",
    "custom",
    "extra",
    "meta",
    "metadata",
    "params",
    "seo",
];
/// Groups that hold fields in some archives and something else in others, such as a form's `password:
/// text`: of these, only a plain answer counts.
pub(super) const LOOSE_GROUPS: &[&str] = &[
    "article",
    "data",
    "document",
    "fields",
    "frontmatter",
    "page",
    "post",
    "publication",
    "workflow",
];
/// Fields with one word of many, of which few are about who may see the article.
pub(super) const STATUS: &[&str] = &[
    "audience",
    "classification",
    "poststatus",
    "publicationstatus",
    "publishstate",
    "publishstatus",
    "reviewstatus",
    "sensitivity",
    "stage",
    "state",
    "status",
    "workflow",
    "workflowstate",
];

/// Words of a status for an article that nobody may see yet.
pub(super) const STATUS_DRAFT: &[&str] = &[
    "auto-draft",
    "deleted",
    "draft",
    "drafts",
    "embargo",
    "embargoed",
    "in review",
    "needs review",
    "not published",
    "on hold",
    "pending",
    "pending publish",
    "pending review",
    "private",
    "sent",
    "trash",
    "trashed",
    "under review",
    "unpublished",
    "wip",
    "work in progress",
];
/// Members of a status that is a mapping: `status: {name: draft}`.
pub(super) const STATUS_MEMBERS: &[&str] =
    &["id", "name", "slug", "stage", "state", "status", "value"];
/// Words for an article that is published at the time of another field.
pub(super) const STATUS_SCHEDULED: &[&str] = &["future", "scheduled"];
/// Words for an article that is in no list: Pelican's `status: hidden`.
pub(super) const STATUS_NOINDEX: &[&str] = &["hidden", "unlisted"];
/// Words for an article that only some may see.
pub(super) const STATUS_UNCLEAR: &[&str] = &[
    "confidential",
    "employees",
    "internal",
    "members",
    "members only",
    "paid",
    "password",
    "premium",
    "protected",
    "restricted",
    "secret",
    "staff",
    "subscribers",
];
