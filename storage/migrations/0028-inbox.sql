-- compatible with: 1
-- How conversations are cared for. `care_seq` rises with every change of status, assignee, team, priority or labels, so that an undo
-- sees what was changed since. `is_marked`: there are rows in conversation_marks, to be kept as the conversation is.
-- Every index with `last_activity_at` is written at each message that comes: there is one per leading filter, each with the status, and a
-- list of every status is the union of four.
alter table conversations
  add column priority tinyint unsigned not null default 0,
  add column snoozed_until datetime(3) null,
  add column is_marked boolean not null default false,
  add column care_seq int unsigned not null default 0,
  drop key by_activity,
  drop key by_channel,
  drop key by_contact,
  add key by_channel (account_id, channel_id, status, last_activity_at, id),
  add key by_team (account_id, team_id, status, last_activity_at, id),
  add key by_contact (account_id, contact_id),
  add key by_waiting (account_id, waiting_since, id);

-- What few conversations carry and lists are narrowed to: `kind` 1 a label, 2 a participant, 3 someone who was mentioned, 4 a priority
-- above none (`mark` ends with it). Status and activity are those of the conversation.
create table conversation_marks (
  account_id uuid not null,
  conversation_id uuid not null,
  kind tinyint unsigned not null,
  mark uuid not null,
  status varchar(10) not null,
  last_activity_at datetime(3) not null,
  primary key (account_id, conversation_id, kind, mark),
  key by_mark (account_id, kind, mark, status, last_activity_at, conversation_id)
);

create table labels (
  id uuid not null primary key,
  account_id uuid not null,
  name varchar(60) not null,
  color char(7) character set ascii not null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_name (account_id, name)
);

create table mentions (
  account_id uuid not null,
  user_id uuid not null,
  message_id uuid not null,
  conversation_id uuid not null,
  at datetime(3) not null,
  seen_at datetime(3) null,
  primary key (account_id, user_id, message_id),
  key by_user (account_id, user_id, at, message_id)
);

-- `filter` as GET /conversations takes it. Of one user, unless it is shared with teams or with everybody.
create table views (
  id uuid not null primary key,
  account_id uuid not null,
  owner_id uuid not null,
  name varchar(100) not null,
  filter json not null,
  team_ids json null,
  is_for_all boolean not null default false,
  position int not null default 0,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  key by_account (account_id, position, id)
);

-- A change of many conversations. Whoever works on it locks its row for one batch.
create table bulk_jobs (
  id uuid not null primary key,
  account_id uuid not null,
  created_by uuid not null,
  state varchar(10) character set ascii not null,
  change_data json not null,
  total int unsigned not null,
  done int unsigned not null default 0,
  changed int unsigned not null default 0,
  skipped int unsigned not null default 0,
  undone int unsigned not null default 0,
  reason varchar(500) null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  finished_at datetime(3) null,
  key by_state (state, created_at),
  key by_account (account_id, created_at, id)
);

-- `state` 0 to be done, 1 changed, 2 left as it was, 3 undone, 4 changed by somebody since. `before_data`: what it was; `care_seq` after.
create table bulk_items (
  account_id uuid not null,
  job_id uuid not null,
  conversation_id uuid not null,
  state tinyint unsigned not null default 0,
  before_data json null,
  care_seq int unsigned null,
  primary key (account_id, job_id, conversation_id),
  key by_state (job_id, state, conversation_id)
);
