-- The spine: what was asked of the web (lists, entries, fetches, runs) and what was understood (documents and labels).
-- Instants are UTC, ISO 8601, ending in Z. Civil dates are YYYY-MM-DD in the source's zone. JSON columns hold UTF-8 JSON.

-- Tables without rowid declare the columns of their key first: SQLite 3.40's integrity_check reads others wrongly
-- ("NULL value in …" where there is none).
create table counters (name text primary key, next integer not null) without rowid;
insert into counters values ('fetch', 1);

create table state (key text primary key, value text not null) without rowid;

create table sources (
  id text primary key, name text not null, kind text not null, type text not null, language text not null,
  certainty text not null, enabled integer not null, base_url text not null, interval_min integer not null,
  lists integer not null, newest_max_age_h integer, min_items integer, note text not null default '', updated_at text not null
);

create table source_runs (
  id text primary key, source text not null references sources(id), trigger text not null, planned_at text,
  started_at text not null, finished_at text, state text not null
    check (state in ('running', 'done', 'failed', 'stopped', 'killed', 'skipped')),
  outcome text not null default '', reason text not null default '', list_rows integer not null default 0,
  seen integer not null default 0, new integer not null default 0, unchanged integer not null default 0,
  failed integer not null default 0, refused integer not null default 0,
  requests integer not null default 0, bytes integer not null default 0,
  archive_file text not null default '', pid integer, failures text not null default '[]'
);
create index source_runs_source on source_runs(source, started_at);

create table lists (
  url text primary key, source text not null, section text not null default '',
  etag text not null default '', last_modified text not null default '',
  candidate_etag text not null default '', candidate_last_modified text not null default '',
  status integer, outcome text not null default '', rows integer not null default 0,
  newest_published_on text, checked_at text, changed_at text, sha256 text not null default '', fetch integer
);

create table entries (
  source text not null, key text not null, url text not null, state text not null
    check (state in ('new', 'fetched', 'done', 'failed')),
  attempts integer not null default 0, reason text not null default '', said text not null default '{}',
  section text not null default '', first_listed_at text not null, last_listed_at text not null,
  listed integer not null default 0, fetch integer, document integer, document_fetch integer, canonical_url text,
  primary key (source, key)
) without rowid;
create index entries_state on entries(source, state);
create index entries_url on entries(url);
create index entries_document on entries(document) where document is not null;
create index entries_canonical_url on entries(canonical_url) where canonical_url is not null;

create table list_entries (
  list text not null, source text not null, key text not null, position integer not null, primary key (list, source, key)
) without rowid;
create index list_entries_entry on list_entries(source, key);

create table fetches (
  id integer primary key, run text not null, source text not null, kind text not null
    check (kind in ('robots', 'list', 'document', 'inline', 'page', 'attachment')),
  entry text, parent integer, url text not null, method text not null default 'GET', status integer,
  outcome text not null default 'ok', reason text not null default '', fetched_at text not null,
  archive_file text not null, archive_offset integer not null, record_id text not null unique,
  media_type text not null default '', bytes integer not null default 0, sha256 text not null default '',
  said text not null default '{}', state text not null
    check (state in ('none', 'pending', 'done', 'failed')),
  attempts integer not null default 0, processed_at text, error text not null default ''
);
create index fetches_pending on fetches(id) where state = 'pending';
create index fetches_entry on fetches(source, entry);
create index fetches_parent on fetches(parent) where parent is not null;
create index fetches_run on fetches(run);
create index fetches_url on fetches(url, id);

create table documents (
  pk integer primary key, id text not null unique, identity text not null unique,
  url text not null, canonical_url text not null, source text not null, kind text not null, title text not null,
  text text not null, language text not null, author text not null default '', outlet text not null default '',
  firsthand integer not null default 0, published_at text, published_on text, published_precision text not null default '',
  published_raw text not null default '', written_on text, effective_on text, expires_on text, deadline_on text,
  first_seen_at text not null, doc_number text not null default '', doc_number_raw text not null default '',
  index_number text not null default '', issuers text not null default '[]', level text not null default '',
  region text not null default '', body_is_stub integer not null default 0, paywalled integer not null default 0,
  origin_outlet text not null default '', origin_published_on text,
  relevant integer not null default 0, relevance real not null default 0, relation text not null default '',
  classifier text not null default '', explanation text not null default '{}', remarks text not null default '[]',
  sha256 text not null default '', rank text not null default '', fetch integer not null
);
create index documents_published on documents(published_on desc, pk desc);
create index documents_first_seen on documents(first_seen_at);
create index documents_source on documents(source, published_on);
create index documents_doc_number on documents(doc_number) where doc_number != '';

-- What the newest fetch of each URL says: the truth from which documents are made, so that they don't depend on the order
-- in which fetches were processed. `body` is the document as JSON, deflated; where this observation supplies the fields of
-- its document (`slim`), title and texts are left out of it and stand in `documents` and `attachments` only.
create table observations (
  fetch integer primary key, canonical_url text not null unique, url text not null, document_id text not null,
  identity text not null, source text not null, entry text, first_fetch integer not null, first_seen_at text not null,
  rank text not null, slim integer not null default 0, body blob not null
);
create index observations_rank on observations(identity, rank desc, canonical_url);
create index observations_first on observations(identity, first_fetch);

-- Earlier ids of a URL's document (a page that gained its 文号), so that old links still lead somewhere.
create table document_aliases (
  id text not null, canonical_url text not null, primary key (id, canonical_url)
) without rowid;

create table document_urls (
  canonical_url text primary key, url text not null, document integer not null references documents(pk) on delete cascade on update cascade,
  source text not null, firsthand integer not null default 0, title text not null default '', outlet text not null default '',
  published_at text, published_on text, first_seen_at text not null, fetch integer not null, rank text not null default ''
) without rowid;
create index document_urls_url on document_urls(url);
create index document_urls_document on document_urls(document);
create index document_urls_source on document_urls(source);

create table document_tasks (
  document integer not null references documents(pk) on delete cascade on update cascade, task text not null references tasks(id),
  measure text not null default '', classifier text not null, score real not null,
  is_primary integer not null default 0, explanation text not null default '{}',
  primary key (document, task, measure, classifier)
) without rowid;
create index document_tasks_task on document_tasks(task, measure, document);

create table document_facets (
  document integer not null references documents(pk) on delete cascade on update cascade, facet text not null, value text not null,
  primary key (document, facet, value)
) without rowid;
create index document_facets_value on document_facets(facet, value, document);

create table document_findings (
  document integer not null references documents(pk) on delete cascade on update cascade, name text not null,
  field text not null, start integer not null, end integer not null, value text not null, quote text not null,
  reader text not null default '', primary key (document, name, field, start, end, value)
) without rowid;

create table document_spans (
  document integer not null references documents(pk) on delete cascade on update cascade, kind text not null
    check (kind in ('task', 'facet')),
  ref text not null, measure text not null default '', field text not null, start integer not null, end integer not null,
  reader text not null default '', classifier text not null default '', quote text not null,
  weight real not null default 0,
  primary key (document, kind, ref, measure, field, start, end, reader, classifier)
) without rowid;

create table attachments (
  document integer not null references documents(pk) on delete cascade on update cascade, position integer not null, url text not null,
  filename text not null default '', media_type text not null default '', sha256 text not null default '',
  text text, error text not null default '', reader text not null default '', confidence real, pages integer,
  fetch integer, primary key (document, position)
) without rowid;

create table tasks (
  id text primary key, parent text references tasks(id), position integer not null, zh text not null, en text not null,
  status text not null, description_zh text not null default '', description_en text not null default '',
  confidence text not null default '', seed_quote text not null default '', provisional integer not null default 0
);
