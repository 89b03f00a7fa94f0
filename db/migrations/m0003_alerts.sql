-- Alerts: which rule found which document, what is to be told to whom (the outbox), and every attempt to tell it.
-- Sequence numbers only grow; digests run by them, not by publication time. These tables survive a rebuild as they are.

create table alert_rules (
  id text primary key, query text not null, recipients text not null default '[]', pace text not null,
  active integer not null default 1, first_seen_at text not null, changed_at text not null
);

create table alert_matches (
  sequence integer primary key autoincrement, rule text not null, document text not null,
  reason text not null check (reason in ('new', 'late', 'backfill')),
  clauses text not null default '[]', matched_at text not null, unique (rule, document)
);
create index alert_matches_document on alert_matches(document);

create table alert_messages (
  id text primary key, rule text not null, recipient text not null,
  kind text not null check (kind in ('alert', 'digest', 'summary', 'silence', 'test')),
  state text not null check (state in ('pending', 'sent', 'dead')),
  created_at text not null, next_attempt_at text not null, attempts integer not null default 0,
  sequences text not null default '[]', payload text not null default '{}', sent_at text, error text not null default ''
);
create index alert_messages_pending on alert_messages(next_attempt_at) where state = 'pending';
create index alert_messages_rule on alert_messages(rule, created_at);

create table alert_attempts (
  message text not null references alert_messages(id) on delete cascade, number integer not null,
  started_at text not null, finished_at text, outcome text not null check (outcome in ('unknown', 'sent', 'failed')),
  reason text not null default '', primary key (message, number)
);

-- how far the digests and the summaries of a rule have told a recipient; `told_on` is the local day of the last one
create table alert_cursors (
  rule text not null, recipient text not null, stream text not null check (stream in ('digest', 'summary')),
  sequence integer not null default 0, told_on text not null default '', primary key (rule, recipient, stream)
) without rowid;

-- a source that stopped giving news, or gives it again: opened once, closed once, told to the operators
create table source_events (
  id text primary key, source text not null, kind text not null, since text not null, reason text not null,
  opened_at text not null, closed_at text
);
create index source_events_open on source_events(source) where closed_at is null;
