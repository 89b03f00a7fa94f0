-- How many addresses each source brought, kept rather than counted, and the rules among the relevant documents by day.

create table source_documents (source text primary key, documents integer not null) without rowid;

create trigger document_urls_insert_count after insert on document_urls begin
  insert into source_documents select new.source, 0 where not exists (select 1 from source_documents where source = new.source);
  update source_documents set documents = documents + 1 where source = new.source;
end;
create trigger document_urls_delete_count after delete on document_urls begin
  update source_documents set documents = documents - 1 where source = old.source;
  delete from source_documents where source = old.source and documents <= 0;
end;
create trigger document_urls_update_count after update of source on document_urls when old.source <> new.source begin
  update source_documents set documents = documents - 1 where source = old.source;
  delete from source_documents where source = old.source and documents <= 0;
  insert into source_documents select new.source, 0 where not exists (select 1 from source_documents where source = new.source);
  update source_documents set documents = documents + 1 where source = new.source;
end;
insert into source_documents select source, count(*) from document_urls group by source;

create index documents_rules on documents(search_key)
  where relevant = 1 and kind in ('circular', 'local rule', 'draft');
