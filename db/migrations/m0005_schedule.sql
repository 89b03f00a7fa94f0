-- The schedule beside the run ledger: what is paused and when each source is due next, and what people ask of the live
-- scheduler by command. The scheduler is told through the database, so that a command works from any shell and stays noted.

create table schedule (
  source text primary key, next_at text, queued_at text, paused_at text, paused_why text not null default ''
) without rowid;

create table schedule_orders (
  id integer primary key autoincrement, action text not null check (action in ('run', 'reload')), source text not null default '',
  given_at text not null, taken_at text, answer text not null default ''
);
create index schedule_orders_open on schedule_orders(id) where taken_at is null;

-- whether the operators were told of the beginning and of the end of an event
alter table source_events add column told_open text;
alter table source_events add column told_close text;
