-- compatible with: 1
-- What the search looks through: filled behind the messages by a follower. `terms`: words as ASCII (storage/model/search-terms.ts), each
-- between spaces and with its account's tag. `flags`: 1 an attachment, 2 an image, 4 a link, 8 a note.
-- A changed text is another row: InnoDB asks for a new FTS_DOC_ID with each.
create table message_search (
  FTS_DOC_ID bigint unsigned not null auto_increment primary key,
  message_id uuid not null,
  account_id uuid not null,
  conversation_id uuid not null,
  channel_id uuid not null,
  occurred_at datetime(3) not null,
  flags tinyint unsigned not null,
  terms mediumtext character set ascii collate ascii_bin not null,
  unique key FTS_DOC_ID_INDEX (FTS_DOC_ID),
  unique key by_message (message_id),
  key by_time (account_id, occurred_at),
  key by_conversation (account_id, conversation_id),
  fulltext key by_terms (terms)
);

-- How far back what was there before the follower began has been taken in; `next_id`: everything from there on is.
create table search_backfill (
  id tinyint unsigned not null primary key,
  next_id uuid null,
  done_at datetime(3) null
);
insert into search_backfill (id) values (1);
