-- Labels in versions, and what people say of them. `verdicts` holds what a classifier that did not read the document in
-- the chain says of it; which verdict counts is told by documents.classifier alone, so that one transaction switches all.

alter table observations add column classifier text not null default '';
update observations set classifier = coalesce(
  (select d.classifier from documents d where d.identity = observations.identity), '') where slim = 1;
create index observations_classifier on observations(classifier, fetch);

create table verdicts (
  fetch integer not null references observations(fetch) on delete cascade, classifier text not null,
  relevant integer not null default 0, relevance real not null default 0, relation text not null default '',
  error text not null default '', body blob not null, primary key (fetch, classifier)
);
create index verdicts_classifier on verdicts(classifier, fetch);

create table reclassifications (
  classifier text primary key, scope text not null check (scope in ('all', 'relevant')), started_at text not null,
  finished_at text, switched_at text, documents integer not null default 0, failed integer not null default 0,
  matrix text not null default '{}'
);

-- Every judgement stays; the newest of a document, task and person counts. `document` is the stable id: it survives a rebuild.
create table judgements (
  id integer primary key autoincrement, document text not null, task text not null,
  verdict text not null check (verdict in ('yes', 'no', 'withdrawn')), note text not null default '',
  who text not null default '', judged_at text not null, digest text not null, classifier text not null default '',
  carried integer not null default 0
);
create index judgements_document on judgements(document, task);

-- The optional third reader: an answer per text, model and wording of the question, so that nothing is paid for twice.
create table third_opinions (
  digest text not null, model text not null, prompt text not null, document text not null, asked_at text not null,
  labels text not null default '[]', dropped integer not null default 0, error text not null default '',
  primary key (digest, model, prompt)
);
create index third_opinions_document on third_opinions(document);
create index third_opinions_asked on third_opinions(asked_at);

-- Labels beside the active ones are not searched, hence do not queue their document; a new verdict does only where the
-- words in the index change by it (the id of the classifier is none of them).
drop trigger document_tasks_insert_search;
create trigger document_tasks_insert_search after insert on document_tasks
  when new.classifier = (select classifier from documents where pk = new.document) begin
  insert or ignore into search_queue values (new.document); end;
drop trigger document_tasks_delete_search;
create trigger document_tasks_delete_search after delete on document_tasks
  when old.classifier = (select classifier from documents where pk = old.document) begin
  insert or ignore into search_queue values (old.document); end;
drop trigger documents_update_verdict;
create trigger documents_update_verdict after update of relevant, classifier on documents
  when old.relevant <> new.relevant or old.classifier <> new.classifier and exists (
    select 1 from document_tasks where document = new.pk and classifier in (old.classifier, new.classifier)
      group by task, measure having count(*) = 1) begin
  insert or ignore into search_queue values (new.pk);
end;
