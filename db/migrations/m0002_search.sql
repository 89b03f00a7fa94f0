-- Search: what is indexed of each document (search_rows), the full-text index over it, and the queue that keeps both right.
-- The key orders by day: days since 1970 times 2^24 plus pk, so that "newest first" is the index's own order and a range
-- of dates is a range of keys. A document without a date stands at the day it was first seen.

alter table documents add column search_key integer generated always as (
  (cast(julianday(coalesce(published_on, substr(first_seen_at, 1, 10))) - 2440587.5 as integer) << 24) + pk) virtual;
create unique index documents_search_key on documents(search_key);
-- what conditions beside the index ask for, without reading the row: it lies behind the text
create index documents_search_filter on documents(search_key, relevance, published_on);

create table search_rows (
  id integer primary key, document integer not null unique references documents(pk) on delete cascade,
  title text not null, text text not null, attached text not null, issuer text not null, region text not null,
  tags text not null
);

create view search_source as select id, cw_bigrams(title) as title, cw_bigrams(text) as text,
  cw_bigrams(attached) as attached, cw_bigrams(issuer) as issuer, cw_bigrams(region) as region, tags from search_rows;

create virtual table documents_fts using fts5(title, text, attached, issuer, region, tags,
  content = 'search_source', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2');

create trigger search_rows_insert after insert on search_rows begin
  insert into documents_fts(rowid, title, text, attached, issuer, region, tags) values (new.id, cw_bigrams(new.title),
    cw_bigrams(new.text), cw_bigrams(new.attached), cw_bigrams(new.issuer), cw_bigrams(new.region), new.tags);
end;
create trigger search_rows_delete after delete on search_rows begin
  insert into documents_fts(documents_fts, rowid, title, text, attached, issuer, region, tags) values ('delete', old.id,
    cw_bigrams(old.title), cw_bigrams(old.text), cw_bigrams(old.attached), cw_bigrams(old.issuer),
    cw_bigrams(old.region), old.tags);
end;
create trigger search_rows_update after update on search_rows begin
  insert into documents_fts(documents_fts, rowid, title, text, attached, issuer, region, tags) values ('delete', old.id,
    cw_bigrams(old.title), cw_bigrams(old.text), cw_bigrams(old.attached), cw_bigrams(old.issuer),
    cw_bigrams(old.region), old.tags);
  insert into documents_fts(rowid, title, text, attached, issuer, region, tags) values (new.id, cw_bigrams(new.title),
    cw_bigrams(new.text), cw_bigrams(new.attached), cw_bigrams(new.issuer), cw_bigrams(new.region), new.tags);
end;

-- A document and its labels, facets and attachments are written row by row; indexing at each row would index it a dozen
-- times. The triggers only note whose row is out of date; it is made anew before the transaction commits.
create table search_queue (document integer primary key);
create trigger documents_insert_search after insert on documents begin
  insert or ignore into search_queue values (new.pk); end;
create trigger documents_update_search after update of title, text, published_on, first_seen_at, source, kind, language,
  firsthand, issuers, region, level, doc_number on documents begin
  insert or ignore into search_queue values (new.pk); end;
create trigger document_tasks_insert_search after insert on document_tasks begin
  insert or ignore into search_queue values (new.document); end;
create trigger document_tasks_delete_search after delete on document_tasks begin
  insert or ignore into search_queue values (old.document); end;
create trigger document_facets_insert_search after insert on document_facets begin
  insert or ignore into search_queue values (new.document); end;
create trigger document_facets_delete_search after delete on document_facets begin
  insert or ignore into search_queue values (old.document); end;
create trigger attachments_insert_search after insert on attachments begin
  insert or ignore into search_queue values (new.document); end;
create trigger attachments_update_search after update of text, position on attachments begin
  insert or ignore into search_queue values (new.document); end;
create trigger attachments_delete_search after delete on attachments begin
  insert or ignore into search_queue values (old.document); end;
insert into search_queue select pk from documents;
