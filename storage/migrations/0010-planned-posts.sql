-- compatible with: 1
-- Posts that are composed here and published on several channels, each by itself. What a network has of them lies in `posts`.
create table planned_posts (
  id uuid not null primary key,
  account_id uuid not null,
  state varchar(20) character set ascii not null,
  text mediumtext not null,
  link varchar(2000) null,
  publish_at datetime(3) null,
  late_policy varchar(20) character set ascii not null,
  reason_code varchar(100) null,
  reason varchar(500) null,
  version int unsigned not null default 1,
  created_by uuid null,
  edited_by uuid null,
  approved_by uuid null,
  approved_at datetime(3) null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  key by_time (account_id, publish_at, id),
  key by_state (account_id, state, id),
  key by_due (state, publish_at)
);

-- `text` null: the common one. `holder` and `epoch` fence whoever publishes it just now; `progress` is the network's own word for
-- a post that it is still working on. `text_hash` finds the same words on the same channel.
create table publications (
  id uuid not null primary key,
  account_id uuid not null,
  planned_post_id uuid not null,
  channel_id uuid not null,
  position tinyint unsigned not null,
  text mediumtext null,
  has_own_files boolean not null default false,
  text_hash binary(32) null,
  state varchar(20) character set ascii not null,
  reason_code varchar(100) null,
  reason varchar(500) null,
  due_at datetime(3) null,
  next_attempt_at datetime(3) null,
  attempt_count smallint unsigned not null default 0,
  progress text null,
  holder varchar(80) null,
  epoch bigint unsigned not null default 0,
  expires_at datetime(3) null,
  external_id varchar(190) character set utf8mb4 collate utf8mb4_bin null,
  permalink varchar(1000) null,
  post_id uuid null,
  published_at datetime(3) null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_channel (planned_post_id, channel_id),
  key by_account (account_id, channel_id, planned_post_id),
  key by_text (account_id, channel_id, text_hash),
  key by_post (account_id, post_id),
  key by_state (state, next_attempt_at)
);

create table publication_attempts (
  account_id uuid not null,
  publication_id uuid not null,
  number smallint unsigned not null,
  node varchar(40) not null,
  started_at datetime(3) not null,
  finished_at datetime(3) null,
  outcome varchar(20) null,
  code varchar(100) null,
  reason varchar(500) null,
  primary key (account_id, publication_id, number)
);

-- Files of a post, or of one publication of its own (`owner_id` is the id of either), in their order.
create table post_files (
  account_id uuid not null,
  owner_id uuid not null,
  position tinyint unsigned not null,
  planned_post_id uuid not null,
  document_id uuid not null,
  alt_text varchar(1000) null,
  primary key (account_id, owner_id, position),
  key by_post (account_id, planned_post_id),
  key by_document (account_id, document_id)
);

-- Who did what with a post, and what it was before.
create table post_history (
  id uuid not null primary key,
  account_id uuid not null,
  planned_post_id uuid not null,
  step varchar(30) character set ascii not null,
  user_id uuid null,
  from_state varchar(20) character set ascii null,
  to_state varchar(20) character set ascii not null,
  detail varchar(500) null,
  at datetime(3) not null,
  key by_post (account_id, planned_post_id, id)
);

-- What an account asks of approvals; no row: the defaults.
create table post_settings (
  account_id uuid not null primary key,
  approval varchar(20) character set ascii not null,
  four_eyes boolean not null
);

-- Conversations below a post.
alter table conversations add key by_post (account_id, post_id);
