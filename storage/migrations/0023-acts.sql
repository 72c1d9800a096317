-- compatible with: 1
-- What is done to messages beside saying something: hidden, liked, deleted, reacted to. `next_attempt_at`: when it is due, or, while
-- it is being done, when whoever does it is taken for dead.
create table acts (
  id uuid not null primary key,
  account_id uuid not null,
  channel_id uuid not null,
  conversation_id uuid not null,
  message_id uuid not null,
  what varchar(10) character set ascii not null,
  emoji varchar(64) null,
  state varchar(10) character set ascii not null,
  reason_code varchar(80) character set ascii null,
  reason varchar(500) null,
  attempt_count int unsigned not null default 0,
  next_attempt_at datetime(3) null,
  created_by uuid null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  key by_message (account_id, message_id, created_at),
  key by_conversation (account_id, conversation_id, state),
  key by_due (state, next_attempt_at)
);
