-- compatible with: 1
-- What each of us has begun to write where, and the files that go along.
create table drafts (
  account_id uuid not null,
  user_id uuid not null,
  conversation_id uuid not null,
  kind varchar(20) character set ascii not null,
  text mediumtext not null,
  in_reply_to varchar(190) null,
  version bigint unsigned not null,
  updated_at datetime(3) not null,
  primary key (account_id, user_id, conversation_id),
  key by_age (updated_at)
);

create table draft_files (
  account_id uuid not null,
  user_id uuid not null,
  conversation_id uuid not null,
  position smallint unsigned not null,
  document_id uuid not null,
  primary key (account_id, user_id, conversation_id, position),
  key by_document (account_id, document_id)
);

-- Who is given conversations: up to `capacity` open ones at a time. `is_offline_by_itself`: nobody said so, they were not there.
alter table users
  add column availability varchar(10) character set ascii not null default 'available',
  add column availability_reason varchar(200) null,
  add column is_offline_by_itself boolean not null default false,
  add column capacity smallint unsigned not null default 10,
  add column skills json null;

-- How those that wait for a team are given out, and to whom only: `skills`, all of which they must have.
alter table teams
  add column assignment varchar(20) character set ascii not null default 'manual',
  add column skills json null;

-- The same for conversations of no team. `goes_offline`: whoever is not there for some minutes is taken for offline.
alter table accounts
  add column assignment varchar(20) character set ascii not null default 'manual',
  add column goes_offline boolean not null default false;

-- Whose turn it is: the greatest `turn` was given one last. `queue_id` is a team's id, or the account's for those of no team.
create table assignment_turns (
  account_id uuid not null,
  queue_id uuid not null,
  user_id uuid not null,
  turn bigint unsigned not null,
  primary key (account_id, queue_id, user_id)
);

-- Those that wait and that nobody has, the oldest first.
alter table conversations add key by_queue (account_id, assignee_id, status, team_id, waiting_since, id, channel_id);
