-- The ledger's figures, kept while documents and runs are written, so that a page costs the same with a hundred
-- documents and with a million: which relevant documents bear on a task (newest first), how many of each day, and what
-- each day's runs over a source came to.

-- Made with the search row of a document, hence in the same transaction and never out of step. `measure` '' stands for
-- the task as a whole, `task` '' for every relevant document.
create table task_documents (
  task text not null, measure text not null, search_key integer not null, document integer not null,
  primary key (task, measure, search_key)
) without rowid;
create index task_documents_search_key on task_documents(search_key);

create table task_days (
  task text not null, measure text not null, day text not null, documents integer not null,
  primary key (task, measure, day)
) without rowid;

create trigger task_documents_insert after insert on task_documents begin
  insert into task_days select new.task, new.measure, date((new.search_key >> 24) * 86400, 'unixepoch'), 0
    where not exists (select 1 from task_days where task = new.task and measure = new.measure
      and day = date((new.search_key >> 24) * 86400, 'unixepoch'));
  update task_days set documents = documents + 1 where task = new.task and measure = new.measure
    and day = date((new.search_key >> 24) * 86400, 'unixepoch');
end;
create trigger task_documents_delete after delete on task_documents begin
  update task_days set documents = documents - 1 where task = old.task and measure = old.measure
    and day = date((old.search_key >> 24) * 86400, 'unixepoch');
  delete from task_days where task = old.task and measure = old.measure
    and day = date((old.search_key >> 24) * 86400, 'unixepoch') and documents <= 0;
end;

create trigger search_rows_insert_tasks after insert on search_rows begin
  insert into task_documents
    select t.task, '', new.id, new.document from document_tasks t join documents d on d.pk = t.document
      where t.document = new.document and d.relevant = 1 and t.classifier = d.classifier group by t.task
    union all
    select t.task, t.measure, new.id, new.document from document_tasks t join documents d on d.pk = t.document
      where t.document = new.document and d.relevant = 1 and t.classifier = d.classifier and t.measure <> ''
    union all
    select '', '', new.id, new.document from documents where pk = new.document and relevant = 1;
end;
create trigger search_rows_delete_tasks after delete on search_rows begin
  delete from task_documents where search_key = old.id;
end;
-- A verdict can change without any word changing.
create trigger documents_update_verdict after update of relevant, classifier on documents begin
  insert or ignore into search_queue values (new.pk);
end;

insert into task_documents
  select t.task, '', s.id, s.document from search_rows s join documents d on d.pk = s.document
    join document_tasks t on t.document = d.pk and t.classifier = d.classifier
    where d.relevant = 1 group by s.id, t.task
  union all
  select t.task, t.measure, s.id, s.document from search_rows s join documents d on d.pk = s.document
    join document_tasks t on t.document = d.pk and t.classifier = d.classifier
    where d.relevant = 1 and t.measure <> ''
  union all
  select '', '', s.id, s.document from search_rows s join documents d on d.pk = s.document where d.relevant = 1;

-- `reached`: runs whose lists answered; `failed`: runs whose lists did not; `doubtful`: they answered, and what they gave
-- is not what the source promises (shrunk, empty, stale). Days are UTC.
create table source_days (
  source text not null, day text not null, reached integer not null default 0, doubtful integer not null default 0,
  failed integer not null default 0, new integer not null default 0, primary key (source, day)
) without rowid;

create trigger source_runs_insert_day after insert on source_runs when new.state <> 'running' begin
  insert into source_days(source, day) select new.source, substr(new.started_at, 1, 10)
    where not exists (select 1 from source_days where source = new.source and day = substr(new.started_at, 1, 10));
  update source_days set
    reached = reached + (new.state = 'done' and (new.outcome in ('ok', 'unchanged', '') or new.list_rows > 0)),
    doubtful = doubtful + (new.state = 'done' and new.outcome in ('empty-list', 'shrunk-list', 'stale')),
    failed = failed + (new.state in ('failed', 'killed')
      or new.state = 'done' and new.outcome not in ('ok', 'unchanged', '') and new.list_rows = 0),
    new = new + new.new
    where source = new.source and day = substr(new.started_at, 1, 10);
end;
create trigger source_runs_update_day after update of state, outcome, list_rows, new on source_runs begin
  update source_days set
    reached = reached - (old.state = 'done' and (old.outcome in ('ok', 'unchanged', '') or old.list_rows > 0)),
    doubtful = doubtful - (old.state = 'done' and old.outcome in ('empty-list', 'shrunk-list', 'stale')),
    failed = failed - (old.state in ('failed', 'killed')
      or old.state = 'done' and old.outcome not in ('ok', 'unchanged', '') and old.list_rows = 0),
    new = new - old.new
    where old.state <> 'running' and source = old.source and day = substr(old.started_at, 1, 10);
  insert into source_days(source, day) select new.source, substr(new.started_at, 1, 10)
    where new.state <> 'running' and not exists (
      select 1 from source_days where source = new.source and day = substr(new.started_at, 1, 10));
  update source_days set
    reached = reached + (new.state = 'done' and (new.outcome in ('ok', 'unchanged', '') or new.list_rows > 0)),
    doubtful = doubtful + (new.state = 'done' and new.outcome in ('empty-list', 'shrunk-list', 'stale')),
    failed = failed + (new.state in ('failed', 'killed')
      or new.state = 'done' and new.outcome not in ('ok', 'unchanged', '') and new.list_rows = 0),
    new = new + new.new
    where new.state <> 'running' and source = new.source and day = substr(new.started_at, 1, 10);
end;

insert into source_days
  select source, substr(started_at, 1, 10),
    sum(state = 'done' and (outcome in ('ok', 'unchanged', '') or list_rows > 0)),
    sum(state = 'done' and outcome in ('empty-list', 'shrunk-list', 'stale')),
    sum(state in ('failed', 'killed') or state = 'done' and outcome not in ('ok', 'unchanged', '') and list_rows = 0),
    sum(new)
  from source_runs where state <> 'running' group by 1, 2;

create index source_runs_reached on source_runs(source, started_at)
  where state = 'done' and (outcome in ('ok', 'unchanged', '') or list_rows > 0);
create index source_runs_new on source_runs(source, started_at) where new > 0;
create index documents_deadline on documents(deadline_on) where deadline_on is not null;
create index documents_expires on documents(expires_on) where expires_on is not null;
create index documents_effective on documents(effective_on) where effective_on is not null;
